import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { expect, test } from "vitest";

import { detectSource } from "./detectSource.ts";
import { encodePng } from "../pixels/encodeImage.ts";
import { blobs, idx, inFolder, readAll, tarOf, writeFiles } from "../testing.ts";

test("tar shards give samples with labels from .cls and .json; a cut archive keeps what came before", () =>
  inFolder(async (folder) => {
    const png = await encodePng(blobs(1, 20));
    const long = `${"deep/".repeat(40)}photo.jpg`; // longer than the names of the oldest format
    const whole = await tarOf(
      Object.entries({
        "a.jpg": png,
        "a.cls": "7\n",
        "./b.png": png,
        "b.json": `{"label": "cat"}`,
        "c.json": "{",
        "c.webp": png,
        [long]: png,
      }),
    );
    await writeFiles(folder, {
      "s-0.tar": whole,
      "s-1.tar": (await tarOf(Object.entries({ "x.png": png, "y.png": png }))).subarray(0, 1300),
    });
    const source = await detectSource(folder);
    const { entries, ids, skipped } = await readAll(source);
    expect(source.notes).toContain('1 member holds no JSON and no label, as "s-0.tar/c.json"');
    expect(ids).toEqual([
      "s-0.tar/a.jpg",
      "s-0.tar/b.png",
      "s-0.tar/c.webp",
      `s-0.tar/${long}`,
      ...ids.slice(4),
    ]);
    expect(entries.slice(0, 3).map(({ label }) => label)).toEqual(["7", "cat", undefined]);
    const content = await entries[1].load();
    expect("bytes" in content && Buffer.compare(content.bytes, png)).toBe(0);
    expect(skipped.map(({ path }) => path)).toEqual(["s-0.tar/c.json", "s-1.tar"]);
    expect(ids).not.toContain("s-1.tar/y.png");
  }));

/** Ids, labels and groups of the images of one archive, and what was skipped of it. */
async function readTar(folder: string, members: [string, Uint8Array | string][], gz = false) {
  const archive = await tarOf(members);
  await writeFiles(folder, { [gz ? "t.tar.gz" : "t.tar"]: gz ? gzipSync(archive) : archive });
  const source = await detectSource(folder);
  const { entries, skipped } = await readAll(source);
  const facts = entries.map(({ id, label, group }) => [
    id.slice(id.indexOf("/") + 1),
    label,
    group,
  ]);
  return { facts, entries, skipped, notes: source.notes };
}

test("members of one key and one ending are separate images, pictures of one sample share a group", () =>
  inFolder(async (folder) => {
    const dots = await readTar(join(folder, "dots"), [
      ["cam1_2024.05.01_0000.jpg", "0"],
      ["cam1_2024.05.01_0001.jpg", "1"],
      ["cam1_2024.05.01_0001.json", `{"label": 7}`],
      ["cam1_2024.05.01_0002.png", "2"],
    ]);
    expect(dots.facts).toEqual([
      ["cam1_2024.05.01_0000.jpg", undefined, undefined],
      ["cam1_2024.05.01_0001.jpg", "7", undefined],
      ["cam1_2024.05.01_0002.png", undefined, undefined],
    ]);
    const samples = await readTar(join(folder, "samples"), [
      ["a.left.jpg", "0"],
      ["a.right.jpg", "1"],
      ["b.jpg", "2"],
      ["b.mask.png", "3"],
      ["c.left.jpg", "4"],
      ["c.right.jpg", "5"],
      ["a.cls", "cat\n"], // in any order
    ]);
    const sample = ["t.tar/a", "t.tar/a", "t.tar/b", "t.tar/b", undefined, undefined];
    expect(samples.facts.map(([, , group]) => group)).toEqual(sample);
    expect(samples.facts.map(([, label]) => label).slice(0, 3)).toEqual(["cat", "cat", undefined]);
  }));

test("of members of one name the last is read and the others are told", () =>
  inFolder(async (folder) => {
    const members: [string, string][] = [
      ["x/a.png", "one"],
      ["x/b.png", "two"],
      ["x/a.png", "new"],
    ];
    const { entries, skipped, notes } = await readTar(folder, members);
    expect(entries.map(({ id }) => id)).toEqual(["t.tar/x/b.png", "t.tar/x/a.png"]);
    const content = await entries[1].load();
    expect("bytes" in content && Buffer.from(content.bytes).toString()).toBe("new");
    expect(skipped).toEqual([
      {
        path: "t.tar/x/a.png",
        reason: expect.stringContaining("the last one is read"),
        ignored: true,
      },
    ]);
    expect(notes.join()).toMatch(/1 member has the name of a later one .*as "t.tar\/x\/a.png"/);
  }));

test("folders and files of labels in an archive name classes and parts, as names of archives do", () =>
  inFolder(async (folder) => {
    const names = ["train/cat/1", "train/cat/2", "train/dog/3", "train/dog/4", "val/cat/5"];
    const members = names.map((name): [string, string] => [`${name}.png`, name]);
    const inside = await readTar(join(folder, "in"), members, true);
    expect(inside.facts.map(([, label]) => label)).toEqual(["cat", "cat", "dog", "dog"]);
    const table = "file_name,label\n1.png,x\n2.png,y\n";
    const listed = await readTar(join(folder, "table"), [
      ["img/1.png", "1"],
      ["img/2.png", "2"],
      ["labels.csv", table],
    ]);
    expect(listed.facts.map(([, label]) => label)).toEqual(["x", "y"]);
    const one = (name: string) => tarOf([[`${name}.png`, name]]);
    await writeFiles(join(folder, "shards"), {
      "train-0000.tar": await one("a"),
      "train-0001.tar": await one("b"),
      "test-0000.tar": await one("c"),
    });
    const shards = await detectSource(join(folder, "shards"));
    expect((await readAll(shards)).ids).toEqual(["train-0000.tar/a.png", "train-0001.tar/b.png"]);
    expect(shards.notes.join()).toContain("left out: 1 image of test-0000.tar");
  }));

test("tar archives in sub-folders are read, with the parts that the folders name and a damaged one of a part that is left out", () =>
  inFolder(async (folder) => {
    const one = (name: string) => tarOf([[`${name}.png`, name]]);
    await writeFiles(folder, {
      "train/0.tar": await one("a"),
      "train/deep/0.tar": await one("b"),
      "train/labels.csv": "file,label\na,x\nb,y\n",
      "val/0.tar": await one("c"),
      "test/0.tar": "damaged ".repeat(200),
    });
    const source = await detectSource(folder);
    const { ids, entries, skipped } = await readAll(source);
    expect(ids).toEqual(["train/0.tar/a.png", "train/deep/0.tar/b.png"]);
    expect(entries.map(({ label }) => label)).toEqual(["x", "y"]);
    expect(skipped).toEqual([]);
    expect(source.notes.join()).toContain("left out: 1 image of val");
    await writeFiles(folder, { "photo.png": "a picture" });
    expect((await detectSource(folder)).kind).toBe("folder");
  }));

test("archives and records that unpack to more than images do, or hold more than they say, end at once", () =>
  inFolder(async (folder) => {
    const zeros = gzipSync(await tarOf([["b.txt", Buffer.alloc(2 ** 26)]])); // gzip files may follow each other
    const first = gzipSync(await tarOf([["a.png", "x"]]));
    const bomb = Buffer.concat([first, ...Array.from({ length: 5 }, () => zeros)]);
    await writeFiles(folder, { "tar/t.tar.gz": bomb });
    const started = performance.now();
    const tarred = await readAll(await detectSource(join(folder, "tar")));
    expect(tarred.ids).toEqual(["t.tar.gz/a.png"]);
    expect(tarred.skipped.at(-1)!.reason).toMatch(
      /t.tar.gz" unpacks to more than 200 times its size/,
    );
    const wide = idx([1, 60000, 60000], []);
    const more = idx([1, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    await writeFiles(folder, {
      "wide/t-images-idx3-ubyte.gz": gzipSync(Buffer.concat([wide, Buffer.alloc(9)])),
      "more/images-idx3-ubyte": more,
      "seven/images-idx4-ubyte": idx([1, 1, 1, 7], [1, 2, 3, 4, 5, 6, 7]),
      "labels/a-images-idx3-ubyte": idx([1, 2, 2], [1, 2, 3, 4]),
      "labels/a-labels-idx1-ubyte": idx([3], [1, 2, 3]),
      "claims/a-images-idx3-ubyte": idx([1, 2, 2], [1, 2, 3, 4]),
      "claims/a-labels-idx1-ubyte": idx([0x7fffffff], [1]),
    });
    const of = async (name: string) => readAll(await detectSource(join(folder, name)));
    const [large, extra, labels] = [await of("wide"), await of("more"), await of("labels")];
    const { skipped } = await of("claims");
    expect([large.ids.length, extra.ids.length, labels.ids.length]).toEqual([0, 1, 0]);
    expect(large.skipped[0].reason).toContain("images of 3600000000 bytes, expected at most");
    expect(extra.skipped[0].reason).toContain("holds more than 1 images, its header says 1");
    expect((await of("seven")).skipped[0].reason).toContain("holds images of 7 channels");
    expect(labels.skipped[0].reason).toContain("has 1 image, the file of labels beside it 3");
    expect(skipped[0].reason).toContain("has 1 image, the file of labels beside it 2147483647");
    expect(performance.now() - started).toBeLessThan(20_000);
  }));
