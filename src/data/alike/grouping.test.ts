import { utimes } from "node:fs/promises";
import { join } from "node:path";

import fc from "fast-check";
import sharp from "sharp";
import { expect, test } from "vitest";

import type { PixelImage } from "../../core/pixels.ts";
import { randomStream } from "../../core/random.ts";
import { encodePng } from "../pixels/encodeImage.ts";
import { detectSource } from "../sources/detectSource.ts";
import { openLikeness } from "./duplicates.ts";
import { openDataset } from "../packed/openDataset.ts";
import { packDataset } from "../packed/packDataset.ts";
import { blobs, inFolder, patches, plain, writeFiles } from "../testing.ts";
import { unionFind } from "./unionFind.ts";

const raw = ({ data, width, height }: PixelImage) =>
  sharp(data, { raw: { width, height, channels: 3 } });

async function groupsOf(folder: string, size = 48): Promise<Map<string, number>> {
  await packDataset(await detectSource(join(folder, "in")), join(folder, "out"), { size });
  const dataset = await openDataset(join(folder, "out"));
  return new Map(dataset.ids.map((id, i) => [id, dataset.groups[i]]));
}

test("resized, recompressed, brighter and copied pictures share a group with their original, others none", () =>
  inFolder(async (folder) => {
    const files: Record<string, Uint8Array | PixelImage> = {};
    for (let seed = 0; seed < 30; seed++) files[`in/${seed}-original.png`] = blobs(seed, 96, 72);
    const edits = ["small", "jpeg", "bright", "copy"];
    for (let seed = 0; seed < 8; seed++) {
      const original = blobs(seed, 96, 72);
      files[`in/${seed}-small.png`] = await raw(original).resize(64, 48).png().toBuffer();
      files[`in/${seed}-jpeg.jpg`] = await raw(original).jpeg({ quality: 40 }).toBuffer();
      files[`in/${seed}-bright.png`] = await raw(original).linear(1.15, 8).png().toBuffer();
      files[`in/${seed}-copy.png`] = await encodePng(original);
    }
    await writeFiles(folder, files);
    const groups = await groupsOf(folder);
    for (let seed = 0; seed < 8; seed++) {
      const own = groups.get(`${seed}-original.png`);
      const found = edits.map((edit) =>
        groups.get(`${seed}-${edit}.${edit === "jpeg" ? "jpg" : "png"}`),
      );
      expect([seed, ...found]).toEqual([seed, own, own, own, own]);
    }
    const originals = Array.from({ length: 30 }, (_, seed) => groups.get(`${seed}-original.png`));
    expect(new Set(originals).size).toBe(30);
  }));

/** A form of lines and boxes; bits of `number` say which of twelve boxes hold a mark. */
function form(number: number): PixelImage {
  const image = plain(244, 200, 260);
  const fill = (left: number, top: number, width: number, height: number) => {
    for (let y = top; y < top + height; y++) {
      image.data.fill(40, 3 * (y * image.width + left), 3 * (y * image.width + left + width));
    }
  };
  for (let line = 0; line < 9; line++) fill(20, 60 + 20 * line, 100 + ((37 * line) % 60), 3);
  fill(20, 20, 70, 14);
  for (let box = 0; box < 12; box++) if ((number >> box) & 1) fill(104 + 7 * box, 22, 4, 10);
  return image;
}

test("forms that differ in a number have a group each, and a resaved one has that of its original; a search says the same", () =>
  inFolder(async (folder) => {
    const files: Record<string, Uint8Array | PixelImage> = {};
    for (let i = 0; i < 12; i++) files[`in/${i}.png`] = form(0x5a3 ^ (1 << i));
    files["in/again.jpg"] = await raw(form(0x5a3 ^ 8))
      .jpeg({ quality: 60 })
      .toBuffer();
    await writeFiles(folder, files);
    const groups = await groupsOf(folder, 160);
    expect(new Set(groups.values()).size).toBe(12);
    expect(groups.get("again.jpg")).toBe(groups.get("3.png"));
    const looks = await openLikeness(join(folder, "out"));
    const ids = [...groups.keys()];
    expect(looks.pairs.map(({ a, b }) => [ids[a], ids[b]].sort())).toEqual([
      ["3.png", "again.jpg"],
    ]);
    looks.close();
  }));

test("a photo and its marked copy share a group", () =>
  inFolder(async (folder) => {
    const files: Record<string, Uint8Array | PixelImage> = {};
    for (let seed = 0; seed < 8; seed++) files[`in/${seed}.png`] = patches(seed, 96, 72);
    const text = `<svg xmlns="http://www.w3.org/2000/svg" width="96" height="72"><rect x="50" y="56" width="32" height="6" fill="#fff" fill-opacity="0.7"/></svg>`;
    files["in/marked.jpg"] = await raw(patches(5, 96, 72))
      .composite([{ input: Buffer.from(text) }])
      .jpeg({ quality: 90 })
      .toBuffer();
    await writeFiles(folder, files);
    const groups = await groupsOf(folder, 96);
    expect(groups.get("marked.jpg")).toBe(groups.get("5.png"));
    expect(new Set(groups.values()).size).toBe(8);
  }));

test("plain pictures of different greys and faint noise are not thrown together", () =>
  inFolder(async (folder) => {
    const stream = randomStream(5, "noise");
    const files: Record<string, PixelImage> = {};
    for (let i = 0; i < 20; i++) {
      const data = plain(10 * i, 48).data.map((value) => value + stream.integer(2));
      files[`in/${i}.png`] = { width: 48, height: 48, channels: 3, data };
    }
    files["in/twin.png"] = files["in/7.png"];
    await writeFiles(folder, files);
    const groups = await groupsOf(folder);
    expect(new Set(groups.values()).size).toBe(20);
    expect(groups.get("twin.png")).toBe(groups.get("7.png"));
  }));

test("pictures saved in one moment under neighbouring numbers are one burst where they look alike", () =>
  inFolder(async (folder) => {
    // A scene that moves a little from shot to shot, and other scenes minutes apart.
    const large = blobs(1, 120, 90);
    const shifted = await Promise.all(
      [0, 6].map((left) =>
        raw(large).extract({ left, top: left, width: 100, height: 80 }).png().toBuffer(),
      ),
    );
    const files: Record<string, Uint8Array | PixelImage> = {
      "in/IMG_0003.png": shifted[0],
      "in/IMG_0004.png": shifted[1],
    };
    for (const n of [1, 2, 5, 6, 7]) files[`in/IMG_000${n}.png`] = blobs(50 + n, 100, 80);
    await writeFiles(folder, files);
    const moment = [0, 600, 1200, 1201, 1800, 1801, 2400];
    for (let n = 1; n <= 7; n++) {
      await utimes(join(folder, `in/IMG_000${n}.png`), 1e9, 1e9 + moment[n - 1]);
    }
    const groups = await groupsOf(folder);
    expect(groups.get("IMG_0003.png")).toBe(groups.get("IMG_0004.png"));
    expect(new Set(groups.values()).size).toBe(6); // 5 and 6 are of one moment but of other things
  }));

test("joined sets have one root, as a search through the links says", () => {
  const links = fc.array(fc.tuple(fc.nat(19), fc.nat(19)), { maxLength: 25 });
  fc.assert(
    fc.property(links, (pairs) => {
      const sets = unionFind(20);
      for (const [a, b] of pairs) sets.join(a, b);
      for (let start = 0; start < 20; start++) {
        const reached = new Set([start]);
        for (let round = 0; round < 20; round++) {
          for (const [a, b] of pairs) {
            if (reached.has(a)) reached.add(b);
            if (reached.has(b)) reached.add(a);
          }
        }
        for (let other = 0; other < 20; other++) {
          expect(sets.root(start) === sets.root(other)).toBe(reached.has(other));
        }
      }
    }),
    { numRuns: 30 },
  );
});
