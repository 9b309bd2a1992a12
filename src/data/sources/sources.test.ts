import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { expect, test } from "vitest";

import { encodePng } from "../pixels/encodeImage.ts";
import { detectSource } from "./detectSource.ts";
import { idx, inFolder, plain, readAll, tarOf, writeFiles } from "../testing.ts";

const failure = (path: string) =>
  detectSource(path).then(
    () => {
      throw new Error("was accepted");
    },
    (error: Error & { hint?: string }) => ({
      name: error.name,
      text: `${error.message} ${error.hint}`,
    }),
  );

test("a folder is read through its sub-folders, whose names are labels", () =>
  inFolder(async (folder) => {
    const dot = plain(90, 2);
    await writeFiles(folder, {
      "cat/a.png": dot,
      "cat/b.png": dot,
      "dog/x/c.png": dot,
      "dog/d.png": dot,
    });
    const source = await detectSource(folder);
    const { entries, ids } = await readAll(source);
    expect(source.kind).toBe("folder");
    expect(ids).toEqual(["cat/a.png", "cat/b.png", "dog/d.png", "dog/x/c.png"]);
    expect(entries.map(({ label }) => label)).toEqual(["cat", "cat", "dog", "dog"]);
  }));

test("CIFAR and IDX files are found in sub-folders, those of several sets are refused, and a packed twin is read once", () =>
  inFolder(async (folder) => {
    const record = (label: number) => Uint8Array.from(cifarRecord([label], () => 7));
    const images = idx([2, 2, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    await writeFiles(folder, {
      "cifar/cifar-10-batches-bin/data_batch_1.bin": record(1),
      "cifar/cifar-10-batches-bin/test_batch.bin": record(0),
      "cifar/cifar-10-batches-bin/batches.meta.txt": Buffer.from("cat\ndog\n"),
      "mnist/MNIST/raw/train-images-idx3-ubyte": images,
      "mnist/MNIST/raw/train-images-idx3-ubyte.gz": gzipSync(images),
      "mnist/MNIST/raw/train-labels-idx1-ubyte": idx([2], [4, 9]),
      "two/MNIST/raw/train-images-idx3-ubyte": images,
      "two/FashionMNIST/raw/train-images-idx3-ubyte": images,
      "parts/train/images-idx3-ubyte": images,
      "parts/test/images-idx3-ubyte": images,
    });
    const read = async (name: string, split?: "test") => {
      const source = await detectSource(join(folder, name), split && { split });
      const { ids, entries } = await readAll(source);
      return [source.kind, ids, entries.map(({ label }) => label)];
    };
    const cifar = "cifar-10-batches-bin";
    expect(await read("cifar")).toEqual(["cifar", [`${cifar}/data_batch_1.bin#000000`], ["dog"]]);
    const held = [`${cifar}/test_batch.bin#000000`];
    expect(await read("cifar", "test")).toEqual(["cifar", held, ["cat"]]);
    const digits = [0, 1].map((i) => `MNIST/raw/train-images-idx3-ubyte#00000${i}`);
    expect(await read("mnist")).toEqual(["idx", digits, ["4", "9"]]);
    expect((await read("parts"))[1]).toEqual(
      [0, 1].map((i) => `train/images-idx3-ubyte#00000${i}`),
    );
    const { name, text } = await failure(join(folder, "two"));
    expect(name).toBe("DataError");
    expect(text).toContain('2 sets of IDX files, in "FashionMNIST/raw" and "MNIST/raw"');
  }));

test("links that go round in circles, broken links, hidden and other files are told and left out", () =>
  inFolder(async (folder) => {
    const dot = plain(90, 2);
    await writeFiles(folder, {
      "a/one.png": dot,
      "a/.hidden.png": dot,
      ".git/two.png": dot,
      "notes.txt": "no image",
      "odd name %2F (é) 日本.PNG": dot,
      "-dash.png": dot,
      unnamed: await encodePng(dot),
    });
    await symlink("..", join(folder, "a", "loop"));
    await symlink("nowhere.png", join(folder, "broken.png"));
    await symlink("a/one.png", join(folder, "linked.png"));
    const { ids, skipped } = await readAll(await detectSource(folder));
    expect(ids).toEqual([
      "-dash.png",
      "a/one.png",
      "linked.png",
      "odd name %2F (é) 日本.PNG",
      "unnamed",
    ]);
    const told = skipped.map(({ path }) => path).sort();
    expect(told).toEqual([".git", "a/.hidden.png", "a/loop", "broken.png", "notes.txt"]);
    expect(skipped.find(({ path }) => path === "broken.png")?.ignored).toBeUndefined();
  }));

test("of train and test folders the train part is read, with labels from the folders below", () =>
  inFolder(async (folder) => {
    const dot = plain(90, 2);
    const names = ["train/a/1", "train/a/2", "train/b/1", "train/b/2", "test/a/3", "test/b/3"];
    await writeFiles(folder, Object.fromEntries(names.map((name) => [`${name}.png`, dot])));
    const auto = await detectSource(folder);
    const { entries } = await readAll(auto);
    expect(entries.map(({ label }) => label)).toEqual(["a", "a", "b", "b"]);
    expect(auto.notes.join()).toContain("left out: 2 images of test");
    const ids = async (split: "test" | "all" | "heldOut", path = folder) =>
      (await readAll(await detectSource(path, { split }))).ids.length;
    expect([await ids("test"), await ids("all"), await ids("heldOut")]).toEqual([2, 6, 2]);
    expect(await ids("heldOut", join(folder, "train"))).toBe(4); // no parts: all of it
  }));

test("boxes.json and manifest.jsonl beside the images or above them give boxes and labels", () =>
  inFolder(async (folder) => {
    const dot = plain(90, 8);
    await writeFiles(folder, {
      "set/a.png": dot,
      "set/b.png": dot,
      "boxes.json": JSON.stringify({ boxes: { "set/a.png": [1, 2, 3, 5] } }),
      "other/a.png": dot,
      "other/manifest.jsonl": `{"path":"a.png","label":"disc","box":[1,2,3,4]}\n`,
    });
    const set = await readAll(await detectSource(join(folder, "set")));
    expect(set.entries.map(({ box }) => box)).toEqual([[1, 2, 3, 4], undefined]);
    const other = await readAll(await detectSource(join(folder, "other")));
    expect(other.entries.map(({ box, label }) => [box, label])).toEqual([[[1, 2, 3, 4], "disc"]]);
    await writeFiles(folder, { "boxes.json": `{"boxes": {"set/a.png": [1, 2]}}` });
    expect((await failure(join(folder, "set"))).text).toContain("[1,2]");
  }));

function cifarRecord(labels: number[], value: (channel: number, pixel: number) => number) {
  const planes = Array.from({ length: 3072 }, (_, i) => value(Math.floor(i / 1024), i % 1024));
  return [...labels, ...planes];
}

test("CIFAR-10 and CIFAR-100 records give their pixels row by row, and the names of their classes", () =>
  inFolder(async (folder) => {
    const value = (channel: number, pixel: number) => (pixel + 80 * channel) % 256;
    const ten = Uint8Array.from([...cifarRecord([3], value), ...cifarRecord([1], () => 7)]);
    const hundred = Uint8Array.from(cifarRecord([9, 2], value));
    await writeFiles(folder, {
      "ten/data_batch_1.bin": ten,
      "ten/test_batch.bin": ten,
      "ten/batches.meta.txt": "air\nboat\ncar\ndog\n\n",
      "gap/data_batch_1.bin": ten,
      "gap/batches.meta.txt": "air\n\ncar\ndog\n", // to leave the line out would name 3 otherwise
      "hundred/train.bin": hundred,
      "hundred/fine_label_names.txt": "x\ny\nz\n",
      "cut/train.bin": ten.subarray(0, 5000),
    });
    const held = await readAll(await detectSource(join(folder, "ten"), { split: "heldOut" }));
    expect(held.ids).toEqual(["test_batch.bin#000000", "test_batch.bin#000001"]);
    const source = await detectSource(join(folder, "ten"));
    const { entries, ids } = await readAll(source);
    expect([source.kind, source.count]).toEqual(["cifar", 2]);
    expect(ids).toEqual(["data_batch_1.bin#000000", "data_batch_1.bin#000001"]);
    expect(entries.map(({ label }) => label)).toEqual(["dog", "boat"]);
    const content = await entries[0].load();
    const data = "image" in content ? content.image.data : [];
    for (const pixel of [0, 1, 31, 32, 1023]) {
      const expected = [0, 1, 2].map((channel) => value(channel, pixel));
      expect([...data.slice(3 * pixel, 3 * pixel + 3)]).toEqual(expected);
    }
    const fine = await readAll(await detectSource(join(folder, "hundred", "train.bin")));
    expect(fine.entries.map(({ label }) => label)).toEqual(["z"]);
    expect((await failure(join(folder, "cut", "train.bin"))).text).toContain("3073");
    expect((await failure(join(folder, "gap"))).text).toContain("has no name in line 2");
  }));

test("CIFAR files cut short are told, alone and beside whole ones; labels of no class are refused", () =>
  inFolder(async (folder) => {
    const record = Uint8Array.from(cifarRecord([3], () => 9));
    const two = Uint8Array.from([...record, ...cifarRecord([255], () => 9)]);
    await writeFiles(folder, {
      "alone/data_batch_1.bin": two.subarray(0, two.length - 100),
      "beside/data_batch_1.bin": record,
      "beside/data_batch_2.bin": Buffer.concat([record, record]).subarray(0, 6046),
      "odd/data_batch_1.bin": two,
    });
    const alone = await failure(join(folder, "alone"));
    expect(alone.text).toMatch(/data_batch_1\.bin.*multiple of 3073 .*cut short/);
    const beside = await readAll(await detectSource(join(folder, "beside")));
    expect(beside.ids).toEqual(["data_batch_1.bin#000000", "data_batch_2.bin#000000"]);
    expect(beside.skipped[0].reason).toContain("ends inside record 1: 2973 of 3073 bytes");
    const odd = await readAll(await detectSource(join(folder, "odd")));
    expect(odd.ids.length).toBe(1);
    expect(odd.skipped[0].reason).toMatch(/record 1 of .* has the label 255, expected 0 to 9/);
    const bare = await detectSource(join(folder, "odd"), { labels: "none" });
    expect((await readAll(bare)).ids.length).toBe(2);
  }));

test("IDX images are paired with their labels, gzipped or not", () =>
  inFolder(async (folder) => {
    await writeFiles(folder, {
      "train-images-idx3-ubyte.gz": gzipSync(
        idx([2, 2, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]),
      ),
      "train-labels-idx1-ubyte": idx([2], [4, 9]),
      "bad/images-idx3-ubyte": idx([2, 2, 3], [1, 2, 3, 4, 5, 6, 7]),
    });
    const { entries } = await readAll(await detectSource(folder));
    expect(entries.map(({ label }) => label)).toEqual(["4", "9"]);
    const content = await entries[1].load();
    if (!("image" in content)) throw new Error("no pixels");
    expect([content.image.width, content.image.height]).toEqual([3, 2]);
    expect([...content.image.data.slice(0, 6)]).toEqual([7, 7, 7, 8, 8, 8]);
    const cut = await readAll(await detectSource(join(folder, "bad")));
    expect(cut.entries.length).toBe(1);
    expect(cut.skipped[0].reason).toContain("ends inside record 1");
  }));

test("what holds no images is refused in one sentence that says what it is", () =>
  inFolder(async (folder) => {
    await writeFiles(folder, { "texts/a.txt": "a", "photo.png": plain(1), "list.csv": "a,b" });
    await mkdir(join(folder, "empty"));
    await mkdir(join(folder, "flowers"));
    const cases: [string, RegExp][] = [
      ["empty", /empty folder/],
      ["texts", /holds no images.*a\.txt/],
      ["flower", /does not exist.*did you mean.*flowers/],
      ["photo.png", /is a file.*give its folder/],
      ["list.csv", /is a file/],
    ];
    for (const [name, message] of cases) {
      const { name: kind, text } = await failure(join(folder, name));
      expect(kind).toBe("DataError");
      expect(text).toMatch(message);
      expect(text).not.toContain("\n");
    }
  }));

test("a picture beside archives does not hide them", () =>
  inFolder(async (folder) => {
    await writeFiles(folder, {
      "preview.png": plain(3),
      "a.tar": await tarOf([["x.png", "no image"]]),
    });
    expect((await detectSource(folder)).kind).toBe("tar");
    expect((await detectSource(folder, { reader: "folder" })).kind).toBe("folder");
    await writeFile(join(folder, "a.tar"), "");
    expect((await readAll(await detectSource(folder))).ids).toEqual([]);
  }));
