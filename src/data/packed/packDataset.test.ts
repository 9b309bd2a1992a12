import {
  appendFile,
  readdir,
  readFile,
  rm,
  symlink,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";

import { expect, test } from "vitest";

import { lock } from "../../files/index.ts";
import { encodeJpeg } from "../pixels/encodeImage.ts";
import { detectSource } from "../sources/detectSource.ts";
import { isPackedDataset, openDataset } from "./openDataset.ts";
import { packDataset } from "./packDataset.ts";
import type { PackCalls } from "./packDataset.ts";
import type { PackOptions } from "./packOptions.ts";
import { blobs, inFolder, plain, writeFiles } from "../testing.ts";

const pack = async (folder: string, options: Partial<PackOptions> = {}, calls: PackCalls = {}) =>
  packDataset(
    await detectSource(join(folder, "in")),
    join(folder, "out"),
    { size: 16, ...options },
    calls,
  );

const failing = (run: Promise<unknown>) =>
  run.then(
    () => {
      throw new Error("did not fail");
    },
    (error: Error & { hint?: string }) => error,
  );

const pictures = (count: number, from = 0) =>
  Object.fromEntries(
    Array.from({ length: count }, (_, i) => [
      `in/${i % 2 ? "b" : "a"}/${from + i}.png`,
      blobs(from + i, 20),
    ]),
  );

test("packed pixels are those of the images, by memory and by file", () =>
  inFolder(async (folder) => {
    const [small, tall, grey] = [blobs(1, 12, 10), blobs(2, 16, 30), plain(77, 16)];
    await writeFiles(folder, { "in/small.png": small, "in/tall.png": tall, "in/z.png": grey });
    const report = await pack(folder);
    expect([report.images, report.packed, report.skipped.length]).toEqual([3, 3, 0]);
    for (const memory of [0, 2 ** 30]) {
      const dataset = await openDataset(join(folder, "out"), { memory });
      expect(dataset.pixels.kind).toBe(memory === 0 ? "files" : "shared");
      expect(dataset.ids).toEqual(["small.png", "tall.png", "z.png"]);
      [small, tall, grey].forEach((picture, i) => {
        const { width, height, data } = dataset.image(i);
        expect([width, height]).toEqual([picture.width, picture.height]);
        expect(Buffer.compare(data, picture.data)).toBe(0);
      });
      expect(() => dataset.image(3)).toThrow(/image 3/);
      dataset.close();
    }
  }));

test("images are made smaller to the size asked for, with their boxes, never larger", () =>
  inFolder(async (folder) => {
    await writeFiles(folder, {
      "in/big.png": plain(50, 80, 40),
      "in/little.png": plain(50, 12, 9),
      "in/boxes.json": JSON.stringify({ boxes: { "big.png": [20, 10, 39, 29] } }),
    });
    await pack(folder);
    const dataset = await openDataset(join(folder, "out"));
    expect(dataset.entry(0)).toMatchObject({
      width: 32,
      height: 16,
      originalWidth: 80,
      originalHeight: 40,
    });
    expect(dataset.entry(0).box).toEqual([8, 4, 8, 8]);
    expect(dataset.entry(1)).toMatchObject({ width: 12, height: 9 });
    expect(dataset.image(0).data.every((value) => value === 50)).toBe(true);
  }));

test("packing again decodes what is new or changed, keeps the rest and drops what is gone", () =>
  inFolder(async (folder) => {
    await writeFiles(folder, pictures(12));
    const first = await pack(folder);
    expect([first.packed, first.kept, first.labelled]).toEqual([12, 0, 12]);
    const header = await readFile(join(folder, "out/dataset.json"), "utf8");
    const same = await pack(folder);
    expect([same.packed, same.kept]).toEqual([0, 12]);
    expect(await readFile(join(folder, "out/dataset.json"), "utf8")).toBe(header);
    await rm(join(folder, "in/a/0.png"));
    await writeFiles(folder, { "in/b/1.png": blobs(101, 24), ...pictures(2, 12) });
    await utimes(join(folder, "in/b/1.png"), 1e9, 1e9);
    const next = await pack(folder);
    expect([next.images, next.packed, next.kept]).toEqual([13, 3, 10]);
    const dataset = await openDataset(join(folder, "out"));
    expect(dataset.ids).not.toContain("a/0.png");
    expect(dataset.classes).toEqual(["a", "b"]);
    const changed = dataset.image(dataset.ids.indexOf("b/1.png"));
    expect(changed.width).toBe(16);
    const kept = dataset.image(dataset.ids.indexOf("a/2.png"));
    const again = await openDataset(join(folder, "out"), { memory: 0 });
    expect(Buffer.compare(again.image(again.ids.indexOf("a/2.png")).data, kept.data)).toBe(0);
    again.close();
  }));

test("what has not changed is not written to, also while another process holds the lock", () =>
  inFolder(async (folder) => {
    await writeFiles(folder, pictures(6));
    const first = await pack(folder);
    const held = await lock(join(folder, "out/pack"), { what: "it is being packed" });
    const again = await pack(folder);
    expect(again).toEqual({ ...first, packed: 0, kept: 6, seconds: again.seconds });
    held.check();
    held.release();
  }));

test("a stopped packing goes on where it was and ends like one in one go", () =>
  inFolder(async (folder) => {
    await writeFiles(folder, pictures(40));
    const stop = new AbortController();
    const stopped = pack(
      folder,
      { parallel: 1 },
      {
        signal: stop.signal,
        onProgress: ({ packed }) => (packed >= 1 ? stop.abort() : undefined),
      },
    );
    expect((await failing(stopped)).message).toContain("stopped");
    expect(await isPackedDataset(join(folder, "out"))).toBe(false);
    // As a kill would leave them: a line cut short, and pixels that no line speaks of.
    await appendFile(join(folder, "out/journal.jsonl"), `{"id":"a/0.p`);
    await appendFile(join(folder, "out/pixels-00000.bin"), "stray");
    const report = await pack(folder);
    expect(report.images).toBe(40);
    expect(report.kept).toBeGreaterThan(0);
    const source = await detectSource(join(folder, "in"));
    await packDataset(source, join(folder, "whole"), { size: 16 });
    const [resumed, whole] = [
      await openDataset(join(folder, "out")),
      await openDataset(join(folder, "whole")),
    ];
    expect(resumed.fingerprint).toBe(whole.fingerprint);
    for (let i = 0; i < 40; i++) {
      expect(Buffer.compare(resumed.image(i).data, whole.image(i).data)).toBe(0);
    }
    const left = (await readdir(join(folder, "out"))).filter((name) =>
      /journal|lock|part/.test(name),
    );
    expect(left).toEqual([]);
  }));

test("a journal ahead of its pixels is not believed", () =>
  inFolder(async (folder) => {
    await writeFiles(folder, pictures(10));
    const stop = new AbortController();
    await failing(
      pack(
        folder,
        { parallel: 1 },
        {
          signal: stop.signal,
          onProgress: ({ packed }) => (packed >= 1 ? stop.abort() : undefined),
        },
      ),
    );
    await writeFile(join(folder, "out/pixels-00000.bin"), "");
    const report = await pack(folder);
    expect([report.images, report.kept]).toEqual([10, 0]);
    const dataset = await openDataset(join(folder, "out"));
    expect(dataset.image(0).data.some((value) => value !== 0)).toBe(true);
  }));

test("many small packings and deletions do not leave dead bytes behind", () =>
  inFolder(async (folder) => {
    await writeFiles(folder, pictures(20));
    await pack(folder, { shardBytes: 8192 });
    for (let i = 0; i < 14; i++) await rm(join(folder, `in/${i % 2 ? "b" : "a"}/${i}.png`));
    const report = await pack(folder, { shardBytes: 8192 });
    const files = (await readdir(join(folder, "out"))).filter((name) => name.endsWith(".bin"));
    const sizes = await Promise.all(
      files.map(async (name) => (await readFile(join(folder, "out", name))).length),
    );
    expect(sizes.reduce((a, b) => a + b, 0)).toBe(report.bytes);
    const dataset = await openDataset(join(folder, "out"));
    const expected = await openDataset(join(folder, "out"), { memory: 0 });
    expect(dataset.count).toBe(6);
    for (let i = 0; i < 6; i++)
      expect(Buffer.compare(dataset.image(i).data, expected.image(i).data)).toBe(0);
    expected.close();
  }));

test("an unreadable file in a part that is left out does not end strict packing", () =>
  inFolder(async (folder) => {
    const dot = blobs(1, 16);
    await writeFiles(folder, {
      "set/train/a.png": dot,
      "set/train/b.png": blobs(2, 16),
      "set/test/c.png": dot,
    });
    await symlink("nowhere", join(folder, "set/test/d.png"));
    await symlink("nowhere", join(folder, "set/val"));
    const strict = async (split: "auto" | "all") =>
      packDataset(await detectSource(join(folder, "set"), { split }), join(folder, split), {
        strict: true,
      });
    expect((await strict("auto")).images).toBe(2);
    await expect(strict("all")).rejects.toThrow("a link to something that is not there");
  }));

test("bad files are skipped with their path and the reason, or refused where strict", () =>
  inFolder(async (folder) => {
    const jpeg = await encodeJpeg(blobs(4, 200), 95);
    await writeFiles(folder, {
      "in/good.png": blobs(1),
      "in/half.jpg": jpeg.subarray(0, jpeg.length / 2),
      "in/page.jpg": "<!DOCTYPE html><html></html>",
      "in/pointer.png": "version https://git-lfs.github.com/spec/v1\noid sha256:0",
      "in/nothing.jpg": "",
    });
    const { images, skipped } = await pack(folder);
    expect(images).toBe(1);
    const reasons = Object.fromEntries(skipped.map(({ path, reason }) => [path, reason]));
    expect(reasons["half.jpg"]).toMatch(/damaged or cut short/);
    expect(reasons["page.jpg"]).toMatch(/HTML/);
    expect(reasons["pointer.png"]).toMatch(/git lfs pull/);
    expect(reasons["nothing.jpg"]).toMatch(/empty/);
    const error = await failing(pack(folder, { strict: true }));
    expect(error.message).toMatch(/half\.jpg|page\.jpg|pointer\.png|nothing\.jpg/);
    const lenient = await pack(folder, { damaged: "accept", overwrite: true });
    expect(lenient.images).toBe(2);
  }));

test("a folder where nothing is an image fails and names one file", () =>
  inFolder(async (folder) => {
    await writeFiles(folder, { "in/a.jpg": "", "in/b.jpg": "x" });
    const error = await failing(pack(folder));
    expect(error.message).toMatch(/no image.*2 files.*a\.jpg.*empty/);
  }));

test("a dataset of other images or settings is not replaced unless that is said", () =>
  inFolder(async (folder) => {
    await writeFiles(folder, { ...pictures(3), "mine/diary.txt": "dear" });
    await pack(folder);
    const error = await failing(pack(folder, { size: 32 }));
    expect(error.message).toContain("size was 16, is 32");
    const other = await detectSource(join(folder, "in/a"));
    expect(
      (await failing(packDataset(other, join(folder, "out"), { size: 16 }))).message,
    ).toContain("packed from");
    expect((await pack(folder, { size: 32, overwrite: true })).packed).toBe(3);
    expect((await failing(packDataset(other, join(folder, "mine")))).message).toContain(
      "diary.txt",
    );
    expect((await failing(packDataset(other, join(folder, "in/a")))).message).toContain("both");
    expect((await failing(packDataset(other, join(folder, "mine/diary.txt/x")))).message).toContain(
      "diary.txt",
    );
    const typo = { sise: 3 } as unknown as Partial<PackOptions>;
    expect((await failing(pack(folder, typo))).message).toContain("did you mean size");
  }));

test("damage to a packed dataset is told when it is opened", () =>
  inFolder(async (folder) => {
    await writeFiles(folder, pictures(3));
    await pack(folder);
    const out = join(folder, "out");
    const header = await readFile(join(out, "dataset.json"), "utf8");
    expect((await failing(openDataset(join(folder, "in")))).message).toContain(
      "not a packed dataset",
    );
    await writeFile(join(out, "dataset.json"), header.replace(`"version": 1`, `"version": 99`));
    expect((await failing(openDataset(out))).message).toContain("version 99");
    await writeFile(join(out, "dataset.json"), header.slice(0, 100));
    expect((await failing(openDataset(out))).message).toContain("no JSON");
    await writeFile(join(out, "dataset.json"), header);
    await truncate(join(out, "pixels-00000.bin"), 1000);
    expect((await failing(openDataset(out))).message).toMatch(/has 1000 bytes, expected 2304/);
    expect((await pack(folder)).packed).toBe(2);
    expect((await openDataset(out)).count).toBe(3);
    expect((await failing(detectSource(out))).message).toContain("packed dataset already");
  }));
