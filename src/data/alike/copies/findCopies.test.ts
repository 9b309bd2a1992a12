import sharp from "sharp";
import type { Sharp } from "sharp";
import { describe, expect, test } from "vitest";

import type { PixelImage } from "../../../core/pixels.ts";
import { drawSamples } from "../../sample/drawSamples.ts";
import { SampleOptions } from "../../sample/sampleOptions.ts";
import { patches } from "../../testing.ts";
import { findCopies, openGallery } from "./findCopies.ts";
import type { Strictness } from "./strictness.ts";

const raw = ({ data, width, height }: PixelImage) =>
  sharp(data, { raw: { width, height, channels: 3 } });

async function through(picture: Sharp, quality = 90): Promise<PixelImage> {
  const file = await picture.jpeg({ quality }).toBuffer();
  const { data, info } = await sharp(file)
    .toColourspace("srgb")
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, channels: 3, data };
}

const [WIDE, HIGH] = [120, 90];

/** Coarse and fine patches: most of the contrast of photos is coarse. */
function photo(seed: number): PixelImage {
  const [coarse, fine] = [patches(seed, WIDE, HIGH, 5), patches(1000 + seed, WIDE, HIGH, 14)];
  for (let i = 0; i < coarse.data.length; i++) {
    coarse.data[i] = (2 * coarse.data[i] + fine.data[i]) / 3;
  }
  return coarse;
}

const mark = Buffer.from(
  `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDE}" height="${HIGH}"><rect x="70" y="70" width="40" height="7" fill="#fff" fill-opacity="0.7"/></svg>`,
);
const edge = { top: 9, bottom: 9, left: 9, right: 9 };

const kinds: Record<string, (picture: Sharp) => Sharp> = {
  resized: (p) => p.resize(70),
  recompressed: (p) => p,
  brighter: (p) => p.linear(1.3, 0),
  darker: (p) => p.linear(0.6, 0),
  watermarked: (p) => p.composite([{ input: mark }]),
  grey: (p) => p.greyscale(),
  cropped: (p) => p.extract({ left: 17, top: 5, width: 96, height: 72 }),
  mirrored: (p) => p.flop(),
  turned: (p) => p.rotate(90),
  "with a border": (p) => p.extend({ ...edge, background: "#000000" }),
};

async function groupsOf(pictures: readonly PixelImage[], strictness: Strictness = "normal") {
  const gallery = openGallery({ count: pictures.length, read: (i) => pictures[i] }, strictness);
  return findCopies(gallery, [...pictures.keys()]);
}

/** Pictures of which the first `copied` have `each` copies, recompressed a little differently each time. */
async function withCopies(count: number, copied: number, each: number): Promise<PixelImage[]> {
  const originals = Array.from({ length: count }, (_, seed) => photo(seed));
  const copies = originals
    .slice(0, copied)
    .flatMap((picture) => Array.from({ length: each }, (_, i) => through(raw(picture), 30 + i)));
  return [...originals, ...(await Promise.all(copies))];
}

describe("copies", () => {
  test.each(Object.entries(kinds))("%s pictures are found, and no others", async (kind, change) => {
    const originals = Array.from({ length: 12 }, (_, seed) => photo(seed));
    const quality = kind === "recompressed" ? 30 : 90;
    const copies = await Promise.all(
      originals.slice(0, 5).map((picture) => through(change(raw(picture)), quality)),
    );
    const links = await groupsOf([...originals, ...copies]);
    const pairs = links.map(({ a, b }) => [Math.min(a, b), Math.max(a, b)].join());
    expect(pairs.sort()).toEqual([0, 1, 2, 3, 4].map((i) => `${i},${12 + i}`).sort());
  });

  test.each([
    ["99 files, 27 of them copies", 72, 27, 1],
    ["100 files, 27 of them copies", 73, 27, 1],
    ["101 files, 27 of them copies", 74, 27, 1],
    ["110 files, 27 of them copies", 83, 27, 1],
    ["400 files, 200 of them copies", 200, 200, 1],
    ["900 files, 60 of them of one photo", 840, 1, 60],
    ["nine in ten files copies", 8, 8, 9],
  ])("are found however many they are: %s", async (_, count, copied, each) => {
    const links = await groupsOf(await withCopies(count, copied, each));
    expect(links.length).toBe(copied * each);
    for (const { a, b } of links) {
      const original = (i: number) => (i < count ? i : Math.floor((i - count) / each));
      expect(original(a)).toBe(original(b));
    }
  });

  test("of drawn shapes of 40 px, those with like outlines are none; resaved, small and mirrored ones are", async () => {
    const like = [317, 358, 658, 795, 861, 1079, 2045, 3440, 3732, 3776]; // pairs of one shape that nearly fit
    const plain = { clutter: 0.15, textureStrength: 0.2, grain: 0.1, lighting: 0.3 };
    const options = SampleOptions.parse({ size: 40, sizeRange: [0.45, 0.85], ...plain });
    const shapes: PixelImage[] = [];
    for await (const drawn of drawSamples(options, "train", like)) {
      shapes.push(...drawn.map(({ image }) => image));
    }
    expect(await groupsOf(shapes)).toEqual([]);
    const copies = await Promise.all(
      shapes.flatMap((shape) => [
        through(raw(shape), 50),
        through(raw(shape).resize(30)),
        through(raw(shape).flop()),
      ]),
    );
    const links = await groupsOf([...shapes, ...copies]);
    const shapeOf = (i: number) => (i < shapes.length ? i : Math.floor((i - shapes.length) / 3));
    expect(links.filter(({ a, b }) => shapeOf(a) !== shapeOf(b))).toEqual([]);
    expect(links.length).toBe(copies.length);
  });

  test("of strict ones nothing was changed in places", async () => {
    const picture = photo(3);
    const some = await Promise.all([
      through(raw(picture), 60),
      through(raw(picture).composite([{ input: mark }])),
    ]);
    const found = async (strictness: Strictness) =>
      (await groupsOf([picture, ...some], strictness)).map(({ a, b }) => [a, b]);
    expect(await found("strict")).toEqual([[0, 1]]);
    expect((await found("normal")).length).toBe(2);
    expect(await found("exact")).toEqual([]);
  });
});
