import { join } from "node:path";

import { expect, test } from "vitest";

import { detectSource } from "./detectSource.ts";
import type { RawEntry, SourceOptions } from "./source.ts";
import { inFolder, plain, writeFiles } from "../testing.ts";

/** The labels of `count` pictures beside files, in their order, and what is said of them. */
async function read(
  folder: string,
  images: string,
  files: Record<string, string | Uint8Array>,
  options: SourceOptions = {},
) {
  const dot = plain(9, 2);
  const pictures = Object.fromEntries(images.split(" ").map((name) => [name, dot]));
  await writeFiles(folder, { ...pictures, ...files });
  const source = await detectSource(folder, options);
  const entries: RawEntry[] = [];
  for await (const entry of source.entries(() => undefined)) entries.push(entry);
  const labels = entries.map(({ label }) => label ?? "–").join(" ");
  return { labels, ids: entries.map(({ id }) => id).join(" "), notes: source.notes.join("\n") };
}

const cases: [string, string, Record<string, string>, string][] = [
  [
    "numbers",
    "a.png b.png",
    { "manifest.jsonl": '{"path":"a.png","label":0}\n{"path":"./b.png","label":1}\n' },
    "0 1",
  ],
  [
    "Hugging Face",
    "a.png b.png",
    { "metadata.jsonl": '{"file_name":"b.png","label":"x"}\n{"file_name":"a.png","label":"y"}' },
    "y x",
  ],
  [
    "a table",
    "a.png b.png",
    { "metadata.csv": 'file_name,text,label\na.png,"a, b",0\nb.png,t,1\n' },
    "0 1",
  ],
  [
    "other headers",
    "in/a.png in/b.png",
    { "labels.csv": "Image ID;Class Name\r\na;cat\r\nb;dog\r\n" },
    "cat dog",
  ],
  ["two columns", "a.png b.png", { "labels.csv": "id,breed\nb,pug\na,corgi\n" }, "corgi pug"],
  ["no header", "a.png b.png", { "labels.csv": "a.png,0\nb.png,1\n" }, "0 1"],
  [
    "quotes",
    "a,1.png b.png",
    { "labels.csv": 'filename,label\n"a,1.png","say ""x"""\nb.png,y\n' },
    'say "x" y',
  ],
  [
    "a part's own file",
    "train/a.png test/a.png",
    {
      "train/metadata.csv": "file_name,label\na.png,1\n",
      "test/metadata.csv": "file_name,label\na.png,2\n",
    },
    "1",
  ],
  [
    "several labels",
    "a.png b.png",
    { "manifest.jsonl": '{"path":"a.png","label":["y","x"]}\n{"path":"b.png","label":["x"]}\n' },
    "x + y x",
  ],
  [
    "lines that agree and do not",
    "a.png b.png",
    { "labels.csv": "path,label\na.png,y\na.png,x\nb.png,x\nb.png,x\n" },
    "x + y x",
  ],
  [
    "lists of objects",
    "a.png b.png c.png",
    {
      "metadata.jsonl":
        '{"file_name":"a.png","objects":{"bbox":[[1,2,3,4],[5,6,7,8]],"categories":[3,0]}}\n{"file_name":"b.png","objects":[{"category":"x"}]}\n{"file_name":"c.png","objects":{"bbox":[]}}',
    },
    "0 + 3 x –",
  ],
  [
    "names of objects",
    "a.png b.png",
    {
      "manifest.jsonl":
        '{"path":"a.png","label":"__proto__","constructor":1}\n{"path":"constructor","label":"x"}\n',
    },
    "__proto__ –",
  ],
];

test.each(cases)("labels are read from files beside the images: %s", (_, images, files, labels) =>
  inFolder(async (folder) => {
    expect((await read(folder, images, files)).labels).toBe(labels);
  }),
);

test("captions are no labels, an empty file is called so, and files that may be meant as labels are named", () =>
  inFolder(async (folder) => {
    const images = { "a.png": plain(9), "b.png": plain(99) };
    const captioned = ["a", "b"].map((name) =>
      JSON.stringify({ file_name: `${name}.png`, text: "it" }),
    );
    await writeFiles(folder, {
      ...Object.fromEntries(
        ["captions", "empty", "others"].flatMap((at) =>
          Object.entries(images).map(([name, image]) => [`${at}/${name}`, image]),
        ),
      ),
      "captions/metadata.jsonl": Buffer.from(captioned.join("\n")),
      "empty/labels.csv": Buffer.from(""),
      "others/train.csv": Buffer.from("id,label\na,x\nb,y\n"),
      "others/labels.txt": Buffer.from("a x\nb y\n"),
      "others/notes.txt": Buffer.from("seen"),
    });
    const notes = async (at: string) => (await detectSource(join(folder, at))).notes.join("; ");
    expect(await notes("captions")).toContain('nothing called label (but "file_name", "text")');
    expect(await notes("empty")).toContain('"labels.csv" is empty');
    expect(await notes("others")).toContain(
      'not read: "labels.txt", "train.csv"; labels come from',
    );
  }));

test("lines of no image and images of no line are counted, files without labels say so", () =>
  inFolder(async (folder) => {
    const lines = ["images/a.png", "images/b.png"].map((path) =>
      JSON.stringify({ path, label: 1 }),
    );
    const bad = await read(join(folder, "bad"), "a.png b.png", {
      "manifest.jsonl": lines.join("\n"),
    });
    expect(bad.labels).toBe("– –");
    expect(bad.notes).toContain('"manifest.jsonl": 2 of 2 lines match no image, as "images/a.png"');
    const some = await read(join(folder, "some"), "a.png b.png c.png", {
      "labels.csv": "filename,label\na.png,1\nx.png,2\n",
    });
    expect(some.notes).toContain("labels from files: 2 of 3 images have no label");
    expect(some.notes).toContain('"labels.csv": 1 of 2 lines match no image, as "x.png"');
    const whole = await read(join(folder, "whole"), "a.png b.png", {
      "labels.csv": "filename,label\na.png,1\nb.png,2\n",
    });
    expect(whole).toMatchObject({ labels: "1 2", notes: "" }); // nothing is left out
    const odd = await read(join(folder, "odd"), "a.png", {
      "labels.csv": "filename,x,y\na.png,1,2\n",
    });
    expect(odd.notes).toContain('"labels.csv" has nothing called label (but "filename", "x", "y")');
    const two = await read(join(folder, "two"), "1/a.png 2/a.png", {
      "labels.csv": "id,label\na,1\n",
    });
    expect(two.labels).toBe("– –"); // which of the two is not said
  }));

test("several labels of an image, broken lines and labels that are not understood are said", () =>
  inFolder(async (folder) => {
    const twice = await read(join(folder, "twice"), "a.png b.png", {
      "labels.csv": "path,label\na.png,zz\na.png,0\nb.png,0\nb.png,0\n,5\n",
    });
    expect(twice.notes).toContain('1 image has several labels: a class of their own, as "0 + zz"');
    expect(twice.notes).toContain('"labels.csv": line 6 is broken or names no image');
    const line = (name: string) => `{"file_name":"${name}.png","label":["x","${name}"]}`;
    const broken = await read(join(folder, "broken"), "a.png b.png", {
      "metadata.jsonl": [line("a"), "5", line("b"), '{"file_name":"b.p'].join("\n"),
    });
    expect(broken.labels).toBe("a + x b + x");
    expect(broken.notes).toContain(
      '"metadata.jsonl": 2 lines are broken or name no image, the first is line 2',
    );
    expect(broken.notes).toContain("2 images have several labels: each combination is a class");
    const odd = await read(join(folder, "odd"), "a.png", {
      "metadata.jsonl": '{"file_name":"a.png","objects":{"bbox":[[1,2,3,4]]}}',
    });
    expect(odd.notes).toContain('"metadata.jsonl" has no label in "objects" that is understood');
  }));

test("a column that tells parts goes before folders", () =>
  inFolder(async (folder) => {
    const table = "path,label,split\na.png,x,train\nb.png,y,test\nc.png,y,train\n";
    const files = { "labels.csv": table };
    const train = await read(folder, "a.png b.png c.png", files);
    expect([train.ids, train.labels]).toEqual(["a.png c.png", "x y"]);
    expect(train.notes).toContain("read train; left out: 1 image of test");
    expect((await read(folder, "a.png", files, { split: "test" })).ids).toBe("b.png");
  }));

test("boxes that lie outside any image are refused", () =>
  inFolder(async (folder) => {
    const boxes = (box: number[]) => ({
      "boxes.json": JSON.stringify({ boxes: { "a.png": box } }),
    });
    for (const box of [
      [5, 1, 2, 3],
      [-1, 0, 2, 3],
      [0, 0, 1e9, 3],
    ]) {
      await expect(read(folder, "a.png", boxes(box))).rejects.toThrow(/boxes.json.* for "a.png"/);
    }
  }));

test("boxes of no image, of no rectangle and of an unknown format are told", () =>
  inFolder(async (folder) => {
    const boxes = (table: unknown) => ({ "boxes.json": JSON.stringify(table) });
    const lost = await read(
      join(folder, "lost"),
      "a.png",
      boxes({ boxes: { "z.png": [0, 0, 1, 1] } }),
    );
    expect(lost.notes).toContain('"boxes.json": 1 of 1 box matches no image, as "z.png"');
    const corners = boxes({ format: "corners", boxes: { "a.png": [0, 0, 1, 1] } });
    await expect(read(join(folder, "format"), "a.png", corners)).rejects.toThrow(
      'has the format "corners"',
    );
    const text = boxes({ boxes: { "a.png": "0 0 1 1" } });
    await expect(read(join(folder, "text"), "a.png", text)).rejects.toThrow('has "0 0 1 1"');
    const deep = { "boxes.json": `{"boxes": ${"[".repeat(9000)}${"]".repeat(9000)}}` };
    await expect(read(join(folder, "deep"), "a.png", deep)).rejects.toThrow("is no JSON");
    const lines = await read(join(folder, "lines"), "a.png", {
      "manifest.jsonl": '{"path":"a.png","label":"x","box":[0,0,-1,4]}',
    });
    expect(lines).toMatchObject({
      labels: "x",
      notes: '"manifest.jsonl": 1 box left out: no left, top, width, height',
    });
  }));

test("a quote that does not close costs the lines behind it only, and is said", () =>
  inFolder(async (folder) => {
    const table = 'path,label\na.png,"x\ny"\nb.png,"z\nc.png,w\n';
    const { labels, notes } = await read(folder, "a.png b.png c.png", { "labels.csv": table });
    expect(labels).toBe("x\ny – –");
    expect(notes).toContain(
      "a quote opens in line 4 and does not close: all from there is left out",
    );
  }));

test("labels that are not UTF-8 are read by letters, so that different ones stay different", () =>
  inFolder(async (folder) => {
    const table = "path\tlabel\na.png\tété\nb.png\tètè\n";
    const latin = await read(join(folder, "latin"), "a.png b.png", {
      "labels.tsv": Buffer.from(table, "latin1"),
    });
    expect(latin.labels).toBe("été ètè");
    expect(latin.notes).toContain('"labels.tsv": read as Windows-1252: it is not UTF-8');
    const wide = Buffer.from(`\ufeff${table}`, "utf16le");
    for (const bytes of [wide, Buffer.from(wide).swap16()]) {
      const utf16 = await read(join(folder, "utf16"), "a.png b.png", { "labels.tsv": bytes });
      expect(utf16).toMatchObject({ labels: "été ètè", notes: expect.stringContaining("UTF-16") });
    }
  }));
