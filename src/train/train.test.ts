import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test, vi } from "vitest";

import { blobs, inFolder, plain, writeFiles } from "../data/testing.ts";
import { train } from "./train.ts";

test("a size of views packs images as large wherever it is given", () =>
  inFolder(async (folder) => {
    const data = join(folder, "photos");
    await writeFiles(data, { "a.png": plain(1, 300), "b.png": plain(2, 300) });
    const given = { data, out: join(folder, "run"), batchSize: 500 };
    for (const size of [{ imageSize: 210 }, { views: { size: 210 } }]) {
      await expect(train({ ...given, ...size })).rejects.toThrow("batchSize is 500"); // once packed
    }
    expect(readdirSync(join(folder, ".packed"))).toEqual([expect.stringMatching(/-240px$/)]);
  }));

test("test images of no use are refused before a run is made", () =>
  inFolder(async (folder) => {
    const [data, other, out] = ["set", "other", "run"].map((name) => join(folder, name));
    const names = ["a/1", "a/2", "b/1", "b/2"];
    const files = names.map((name, i) => [`${name}.png`, plain(60 * i)]);
    await writeFiles(data, Object.fromEntries(files));
    await writeFiles(other, { "1.png": plain(9), "2.png": plain(99) });
    await expect(train({ data, out, test: data })).rejects.toThrow(
      "test: the test images are the training images themselves (4 images), expected others",
    );
    await expect(train({ data, out, test: other })).rejects.toThrow(/test: ".*" has no labels/);
    expect(existsSync(out)).toBe(false);
  }));

test("without timing two fresh caches give the same weights, and nothing is remembered", () =>
  inFolder(async (folder) => {
    const data = join(folder, "photos");
    const files = Array.from({ length: 8 }, (_, i) => [`${i}.png`, blobs(i, 12)]);
    await writeFiles(data, Object.fromEntries(files));
    const small = {
      encoder: { name: "resnet" as const, width: 16, blocks: [1] },
      epochs: 1,
      batchSize: 4,
      imageSize: 8,
      threads: 1,
      workers: 0,
      evaluation: { every: 0 },
      record: { steps: 0 },
    };
    const weightsIn = async (cache: string, tune: "on" | "off") => {
      vi.stubEnv("CONTRAPOSE_CACHE", join(folder, cache));
      const { run } = await train({ data, out: join(folder, `run-${cache}`), ...small, tune });
      return readFileSync(join(run, "checkpoints/last/weights.safetensors"));
    };
    try {
      expect(await weightsIn("one", "off")).toEqual(await weightsIn("two", "off"));
      await weightsIn("three", "on");
    } finally {
      vi.unstubAllEnvs();
    }
    const timed = (cache: string) => existsSync(join(folder, cache, "lowerings.json"));
    expect([timed("one"), timed("two"), timed("three")]).toEqual([false, false, true]);
  }));
