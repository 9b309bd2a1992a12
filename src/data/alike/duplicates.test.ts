import { copyFile, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import sharp from "sharp";
import { expect, test } from "vitest";

import { detectSource } from "../sources/detectSource.ts";
import { openLikeness } from "./duplicates.ts";
import { packDataset } from "../packed/packDataset.ts";
import { inFolder, patches, writeFiles } from "../testing.ts";

/** Packs six pictures, two of which have a mirrored and a small copy, and gives the folder. */
async function packed(folder: string, from: number): Promise<string> {
  const files: Record<string, Uint8Array> = {};
  for (let seed = 0; seed < 6; seed++) {
    const { data, width, height } = patches(from + seed, 64);
    const picture = sharp(data, { raw: { width, height, channels: 3 } });
    files[`in${from}/${seed}.png`] = await picture.clone().png().toBuffer();
    if (seed < 1) files[`in${from}/${seed}m.png`] = await picture.clone().flop().png().toBuffer();
    if (seed === 1) files[`in${from}/${seed}s.png`] = await picture.resize(56).png().toBuffer();
  }
  await writeFiles(folder, files);
  const out = join(folder, `out${from}`);
  await packDataset(await detectSource(join(folder, `in${from}`)), out);
  return out;
}

async function found(folder: string) {
  const looks = await openLikeness(folder);
  try {
    return looks.pairs.map(({ a, b, kind, likeness }) => [a, b, kind, likeness]);
  } finally {
    looks.close();
  }
}

test("copies that packing found are not searched for again, and are those that a search finds", () =>
  inFolder(async (folder) => {
    const set = await packed(folder, 0);
    const looks = await openLikeness(set);
    expect(looks.pairs.map(({ a, b }) => [a, b].sort().join()).sort()).toEqual(["0,1", "2,3"]);
    expect([looks.words(0, 1), looks.words(2, 3)]).toEqual(["mirrored", "resized to 88 %"]);
    looks.close();
    const kept = await found(set);
    const file = join(set, "copies.json");
    const text = await readFile(file, "utf8");
    await rm(file);
    expect(await found(set)).toEqual(kept);
    await writeFile(file, text);
    for (const name of await readdir(set)) {
      if (name.startsWith("pixels")) await rm(join(set, name)); // a search would miss them
    }
    expect(await found(set)).toEqual(kept);
  }));

test("what is kept of copies is not used where it is of other pixels, damaged, or cut short", () =>
  inFolder(async (folder) => {
    const [set, other] = [await packed(folder, 0), await packed(folder, 100)];
    const right = await found(set);
    const file = join(set, "copies.json");
    const text = await readFile(file, "utf8");
    await copyFile(join(other, "copies.json"), file);
    expect(await found(set)).toEqual(right);
    for (const damaged of [text.replace('"a":2', '"a":4'), text.slice(0, -9), "", "[]\n{}\n"]) {
      expect(damaged).not.toBe(text);
      await writeFile(file, damaged);
      expect(await found(set)).toEqual(right);
    }
  }));
