import { appendFile, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { DataError } from "../core/errors.ts";
import { openPixels } from "../files/index.ts";
import { detectSource } from "./sources/detectSource.ts";
import { openDataset } from "./packed/openDataset.ts";
import { packDataset } from "./packed/packDataset.ts";
import { blobs, inFolder, writeFiles } from "./testing.ts";

type Fields = Record<string, unknown>;

/** Packs three pictures and gives the folder. */
async function packed(folder: string, overwrite = false): Promise<string> {
  const [images, out] = [join(folder, "images"), join(folder, "packed")];
  await writeFiles(images, { "a.png": blobs(1), "b.png": blobs(2), "c.png": blobs(3) });
  await packDataset(await detectSource(images), out, { overwrite });
  return out;
}

async function entriesPath(out: string): Promise<string> {
  const name = (await readdir(out)).find((one) => one.startsWith("entries-"));
  return join(out, name!);
}

async function changeEntry(out: string, change: Fields): Promise<void> {
  const path = await entriesPath(out);
  const lines = (await readFile(path, "utf8")).trimEnd().split("\n");
  lines[1] = JSON.stringify({ ...(JSON.parse(lines[1]) as Fields), ...change });
  await writeFile(path, `${lines.join("\n")}\n`);
}

async function changeHeader(out: string, change: Fields): Promise<void> {
  const path = join(out, "dataset.json");
  const header = JSON.parse(await readFile(path, "utf8")) as Fields;
  await writeFile(path, JSON.stringify({ ...header, ...change }));
}

async function flipPixel(out: string): Promise<void> {
  const path = join(out, "pixels-00000.bin");
  const bytes = await readFile(path);
  bytes[bytes.length - 1] ^= 1;
  await writeFile(path, bytes);
}

describe("a damaged packed dataset is a DataError that names file and field", () => {
  test.each<[string, Fields, RegExp]>([
    ["width", { width: -20 }, /entries-.* line 2: width: /],
    ["a half", { width: 19.5 }, /line 2: width: /],
    ["no checksum", { crc: undefined }, /line 2: crc: /],
    ["checksum", { crc: 2 ** 32 }, /line 2: crc: /],
    ["other checksum", { crc: 1 }, /pixels-00000.bin" is damaged/],
    ["offset", { offset: 1e20 }, /line 2: offset: /],
    ["far offset", { offset: 2 ** 50 }, /"b.png" end at byte/],
    ["negative offset", { offset: -1 }, /line 2: offset: /],
    ["shard", { shard: 9 }, /of shard 9, which is not listed/],
    ["negative shard", { shard: -1 }, /line 2: shard: /],
    ["group", { group: -3 }, /line 2: group: /],
    ["box", { box: [0, 0, null, 4] }, /line 2: box\.2: /],
    ["id", { id: 7 }, /line 2: id: /],
    ["hash", { hash: "short" }, /line 2: hash: /],
  ])("entry: %s", (_, change, message) =>
    inFolder(async (folder) => {
      const out = await packed(folder);
      await changeEntry(out, change);
      const opening = openDataset(out);
      await expect(opening).rejects.toThrow(DataError);
      await expect(opening).rejects.toThrow(message);
      await expect(opening).rejects.toHaveProperty("hint", expect.stringMatching(/pack .* again/));
    }),
  );

  test.each<[string, Fields, RegExp]>([
    ["shards", { shards: [null] }, /dataset.json": shards\.0: /],
    ["bytes", { shards: [{ shard: 0, bytes: -1 }] }, /shards\.0\.bytes: /],
    ["entries of another folder", { entries: "../../x" }, /dataset.json": entries: /],
    ["count", { count: null }, /dataset.json": count: /],
    ["classes", { classes: "cats" }, /dataset.json": classes: /],
    ["groups", { groups: {} }, /dataset.json": groups\.groups: /],
    ["version", { version: 99 }, /has version 99/],
    ["format", { format: "other" }, /is not the header of a packed dataset/],
  ])("header: %s", (_, change, message) =>
    inFolder(async (folder) => {
      const out = await packed(folder);
      await changeHeader(out, change);
      const opening = openDataset(out);
      await expect(opening).rejects.toThrow(DataError);
      await expect(opening).rejects.toThrow(message);
    }),
  );

  test("a changed pixel is found, in memory and in files, by this thread and by others", () =>
    inFolder(async (folder) => {
      const out = await packed(folder);
      await flipPixel(out);
      await expect(openDataset(out)).rejects.toThrow(/pixels-00000.bin" is damaged/);
      const dataset = await openDataset(out, { memory: 0 });
      expect(dataset.image(0).width).toBe(48);
      expect(() => dataset.image(2)).toThrow(/pixels-00000.bin" is damaged/);
      const reader = openPixels(dataset.pixels);
      expect(() => reader.image(2)).toThrow(/pixels-00000.bin" is damaged/);
      [reader, dataset].forEach((one) => one.close());
    }));

  test("packing with overwrite mends it", () =>
    inFolder(async (folder) => {
      const out = await packed(folder);
      await flipPixel(out);
      await packed(folder, true);
      const dataset = await openDataset(out);
      expect(dataset.image(2).data).toEqual(blobs(3).data);
      dataset.close();
    }));
});

test("damaged lines of a journal are packed again", () =>
  inFolder(async (folder) => {
    const out = await packed(folder);
    const lines = (await readFile(await entriesPath(out), "utf8")).trimEnd().split("\n");
    const [line] = lines.map((text) => JSON.parse(text) as Fields);
    const broken = [{ ...line, width: 1e9 }, { ...line, shard: -1 }, { id: "x" }, null, [], "["];
    await writeFiles(join(folder, "images"), { "d.png": blobs(4) });
    for (const one of broken)
      await appendFile(join(out, "journal.jsonl"), `${JSON.stringify(one)}\n`);
    const report = await packDataset(await detectSource(join(folder, "images")), out);
    expect([report.images, report.packed]).toEqual([4, 1]);
  }));
