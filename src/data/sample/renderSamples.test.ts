import {
  mkdtemp,
  readFile,
  readdir,
  rm,
  stat,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterEach, beforeEach, expect, test } from "vitest";

import { ConfigError, ContraposeError, DataError } from "../../core/errors.ts";
import type { SampleEntry, SampleHeader } from "./manifest.ts";
import { renderSamples } from "./renderSamples.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "contrapose-sample-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const small = { train: 24, test: 6, size: 16 };

async function filesIn(root: string): Promise<Map<string, string>> {
  const names = (await readdir(root, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const pairs = names.map(async (name) => {
    const content = await readFile(name);
    return [name.slice(root.length + 1), content.toString("base64")] as const;
  });
  return new Map((await Promise.all(pairs)).sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function entriesIn(root: string): Promise<SampleEntry[]> {
  const text = await readFile(join(root, "manifest.jsonl"), "utf8");
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as SampleEntry);
}

async function headerIn(root: string): Promise<SampleHeader> {
  return JSON.parse(await readFile(join(root, "manifest.json"), "utf8")) as SampleHeader;
}

test("the same options give the same bytes, another seed gives others", async () => {
  const [a, b, c] = ["a", "b", "c"].map((name) => join(folder, name));
  await renderSamples(a, small);
  await renderSamples(b, small);
  await renderSamples(c, { ...small, seed: 1 });
  const first = await filesIn(a);
  expect(await filesIn(b)).toEqual(first);
  const images = (files: Map<string, string>) =>
    [...files].filter(([name]) => name.endsWith(".png")).map(([, content]) => content);
  const known = new Set(images(first));
  expect(known.size).toBe(30);
  expect(images(await filesIn(c)).filter((content) => known.has(content))).toEqual([]);
});

test("files lie by split and class, and the manifest names each of them once", async () => {
  const set = await renderSamples(join(folder, "set"), { ...small, label: "texture" });
  expect(set).toMatchObject({ drawn: 30, kept: 0 });
  const files = [...(await filesIn(set.folder)).keys()].filter((name) => name.includes("/"));
  const entries = await entriesIn(set.folder);
  expect(entries.map((entry) => entry.path).sort()).toEqual(files.sort());
  for (const entry of entries) {
    expect(entry.path.split("/").slice(0, 2)).toEqual([entry.split, entry.factors.texture]);
    expect(entry.label).toBe(entry.factors.texture);
  }
  const header = await headerIn(set.folder);
  expect(header).toMatchObject({ complete: true, label: "texture", options: set.options });
  const values = Object.keys(entries[0].values).map((name) => `values.${name}`);
  const described = [...Object.keys(entries[0]).filter((name) => name !== "values"), ...values];
  expect(Object.keys(header.fields).sort()).toEqual(described.sort());
});

test("a larger set extends a smaller one and resuming draws only what is missing", async () => {
  const [grown, anew] = [join(folder, "grown"), join(folder, "anew")];
  await renderSamples(grown, small);
  const larger = { ...small, train: 80, test: 9 };
  expect(await renderSamples(grown, larger, { resume: true })).toMatchObject({
    drawn: 59,
    kept: 30,
  });
  await renderSamples(anew, larger);
  expect(await filesIn(grown)).toEqual(await filesIn(anew));
});

test("resuming replaces missing and cut-off images and leaves whole ones alone", async () => {
  const root = join(folder, "set");
  await renderSamples(root, small);
  const before = await filesIn(root);
  const [gone, cut, kept] = (await entriesIn(root)).map((entry) => join(root, entry.path));
  await rm(gone);
  await truncate(cut, (await stat(cut)).size - 5);
  await utimes(kept, 1000, 1000);
  expect(await renderSamples(root, small, { resume: true })).toMatchObject({ drawn: 2, kept: 28 });
  expect((await stat(kept)).mtimeMs).toBe(1_000_000);
  expect(await filesIn(root)).toEqual(before);
});

test("an interrupted set says that it is incomplete and can be resumed", async () => {
  const root = join(folder, "set");
  const stop = new AbortController();
  const options = { ...small, train: 200 };
  const stopped = renderSamples(root, options, {
    signal: stop.signal,
    onProgress: () => stop.abort("SIGINT"),
  });
  await expect(stopped).rejects.toThrow(ContraposeError);
  await expect(stopped).rejects.toThrow(/stopped before the end; ".*set" keeps what is drawn/);
  expect((await headerIn(root)).complete).toBe(false);
  const { kept } = await renderSamples(root, options, { resume: true });
  expect(kept).toBe(64);
  expect((await headerIn(root)).complete).toBe(true);
});

test("jpg files hold nearly the pixels of the png files", async () => {
  const options = { train: 4, test: 0, size: 40 };
  await renderSamples(join(folder, "png"), options);
  await renderSamples(join(folder, "jpg"), { ...options, format: "jpg", quality: 95 });
  for (const { path } of await entriesIn(join(folder, "png"))) {
    const exact = await sharp(join(folder, "png", path))
      .raw()
      .toBuffer();
    const other = join(folder, "jpg", path.replace(/png$/, "jpg"));
    const { data, info } = await sharp(other).raw().toBuffer({ resolveWithObject: true });
    expect(info).toMatchObject({ format: "raw", width: 40, height: 40, channels: 3 });
    const error = exact.reduce((sum, value, i) => sum + Math.abs(value - data[i]), 0) / data.length;
    expect(error).toBeLessThan(6);
  }
});

test("progress counts up to the number of images", async () => {
  const seen: number[] = [];
  const onProgress = (done: number, total: number) => seen.push(done / total);
  await renderSamples(join(folder, "set"), { ...small, train: 100 }, { onProgress });
  expect(seen.at(-1)).toBe(1);
  expect(seen).toEqual([...seen].sort((a, b) => a - b));
});

test("a folder with anything in it is refused, and only sample sets are overwritten", async () => {
  const foreign = join(folder, "note.txt");
  await writeFile(foreign, "mine");
  await expect(renderSamples(folder, small)).rejects.toThrow(/is not empty \(1 entry\)/);
  for (const settings of [{ overwrite: true }, { resume: true }]) {
    await expect(renderSamples(folder, small, settings)).rejects.toThrow(DataError);
  }
  expect(await readdir(folder)).toEqual(["note.txt"]);
  const root = join(folder, "set");
  await renderSamples(root, small);
  await writeFile(join(root, "note.txt"), "mine");
  await expect(renderSamples(root, small)).rejects.toThrow(ConfigError);
  await renderSamples(root, { ...small, train: 3 }, { overwrite: true });
  expect((await entriesIn(root)).length).toBe(9);
  expect((await filesIn(root)).size).toBe(9 + 3);
});

test("a set cannot be resumed with other options or fewer images", async () => {
  await renderSamples(folder, small);
  const resume = (options: object) =>
    renderSamples(folder, { ...small, ...options }, { resume: true });
  await expect(resume({ seed: 3 })).rejects.toThrow("seed was 0, is 3");
  await expect(resume({ label: "size" })).rejects.toThrow('label was "shape", is "size"');
  await expect(resume({ train: 23 })).rejects.toThrow("24 train images, more than the 23");
});

test("bad options are refused with the value in the message", async () => {
  const attempt = (options: object) => renderSamples(join(folder, "set"), options);
  await expect(attempt({ size: 8 })).rejects.toThrow(/size.*is 8/);
  await expect(attempt({ size: 513 })).rejects.toThrow(/size.*is 513/);
  await expect(attempt({ label: "mood" })).rejects.toThrow(/label.*"mood"/);
  await expect(attempt({ shapes: ["star", "star"] })).rejects.toThrow("named twice");
  await expect(attempt({ sizeRange: [0.9, 0.5] })).rejects.toThrow("must not exceed");
  await expect(attempt({ cluter: 1 })).rejects.toThrow("did you mean clutter?");
  await expect(attempt({ train: 0, test: 0 })).rejects.toThrow("nothing to draw");
  expect(await readdir(folder)).toEqual([]);
});

test("a path that is a file is refused in one sentence", async () => {
  const path = join(folder, "file");
  await writeFile(path, "");
  await expect(renderSamples(path, small)).rejects.toThrow(DataError);
  await expect(renderSamples(join(path, "below"), small)).rejects.toThrow(DataError);
});
