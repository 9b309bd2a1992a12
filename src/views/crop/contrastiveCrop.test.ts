import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { type GoldenCase, goldenCases, goldenPresent } from "../../../test/golden.ts";
import { randomStream } from "../../core/random.ts";
import { boxAt, meanArea, restrictedShare, setBox, wholeBox, wholeBoxes } from "./boxes.ts";
import { contrastiveCrop } from "./contrastiveCrop.ts";
import type { Box, BoxSides, CropOptions, Rectangle, SizeDraw } from "./crop.ts";
import { crops } from "./crops.ts";

const options: CropOptions = { scale: [0.2, 1], ratio: [3 / 4, 4 / 3], alpha: 1, exact: true };
const sides = ([left, top, right, bottom]: BoxSides): Box => ({ left, top, right, bottom });
const square = { width: 32, height: 32 };
const streamOf = (i: number) => randomStream(6, "crop", i);

type CropCase = GoldenCase<
  {
    height: number;
    width: number;
    ratio: [number, number];
    attempts: SizeDraw[];
    centre: [number, number];
    exact: boolean;
  },
  { box: [number, number, number, number] }, // top, left, bottom, right
  { attempt: number; range: number[] | null; crop: number[] }
>;

describe.skipIf(!goldenPresent)("reference cases (need ../shared/golden)", () => {
  test.each(goldenCases<CropCase>("contrastiveCrop"))("$id", ({ params, inputs, expect: want }) => {
    const [top, left, bottom, right] = inputs.box;
    const got = contrastiveCrop({ ...params, box: { left, top, right, bottom } });
    const { x, y, width, height } = got.crop;
    expect([y, x, height, width]).toEqual(want.crop);
    expect(got.attempt).toBe(want.attempt);
    expect(got.range && [...got.range.top, ...got.range.left]).toEqual(want.range);
  });

  test("are there", () => expect(goldenCases("contrastiveCrop")).toHaveLength(35));
});

describe("contrastive crop", () => {
  test("without a box it is the random crop, draw for draw", () => {
    for (let i = 0; i < 50; i++) {
      const source = { width: 20 + i, height: 60 - i };
      const plain = crops.random(options, streamOf(i), source);
      expect(crops.contrastive(options, streamOf(i), source)).toEqual(plain);
    }
  });

  test("has the sizes of the random crop whatever the box", () => {
    const box = sides([0.4, 0.4, 0.6, 0.6]);
    for (let i = 0; i < 50; i++) {
      const { width, height } = crops.random(options, streamOf(i), square);
      const boxed = crops.contrastive(options, streamOf(i), square, box);
      expect([boxed.width, boxed.height]).toEqual([width, height]);
    }
  });

  test("the whole image and alpha 1 give every place alike, as the random crop does", () => {
    const half: CropOptions = { ...options, scale: [0.25, 0.25], ratio: [1, 1] };
    const source = { width: 8, height: 8 }; // crops of 4 × 4: 5 × 5 places
    const counts = (exact: boolean) => {
      const places = new Array<number>(25).fill(0);
      for (let i = 0; i < 25_000; i++) {
        const { x, y } = crops.contrastive({ ...half, exact }, streamOf(i), source, wholeBox);
        places[5 * y + x]++;
      }
      return places;
    };
    const chiSquare = counts(true).reduce((sum, n) => sum + (n - 1000) ** 2 / 1000, 0);
    expect(chiSquare).toBeLessThan(52.6); // 24 degrees of freedom, p = 0.0007
    const published = counts(false);
    expect(published.filter((n) => n === 0)).toHaveLength(9); // the last row and column
    const inner = published.filter((n) => n > 0);
    expect(inner.every((n) => Math.abs(n - 25_000 / 16) < 200)).toBe(true);
  });

  test("lies in the image whatever the box, its centre in the box where there is room", () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(
        fc.tuple(share, share, share, share),
        fc.integer({ min: 1, max: 90 }),
        fc.integer({ min: 1, max: 90 }),
        fc.nat(9999),
        ([a, b, c, d], width, height, seed) => {
          const box = sides([Math.min(a, b), Math.min(c, d), Math.max(a, b), Math.max(c, d)]);
          const source = { width, height };
          const { x, y, ...size } = crops.contrastive(
            { ...options, alpha: 0.3, exact: seed % 2 === 0 },
            randomStream(seed),
            source,
            box,
          );
          expect(x).toBeGreaterThanOrEqual(0);
          expect(y).toBeGreaterThanOrEqual(0);
          expect(x + size.width).toBeLessThanOrEqual(width);
          expect(y + size.height).toBeLessThanOrEqual(height);
          if (Math.max(width, height) > 1.3 * Math.min(width, height)) return; // some fit no crop
          const centre = x + Math.floor(size.width / 2);
          if (x > 0) expect(centre).toBeLessThanOrEqual(Math.trunc(box.right * width));
          if (x + size.width < width)
            expect(centre).toBeGreaterThanOrEqual(Math.trunc(box.left * width));
        },
      ),
      { seed: 3, numRuns: 200 },
    );
  });

  test("a fixed box comes before that of the image", () => {
    const fixed: CropOptions = { ...options, alpha: 0.1, box: [0.25, 0.25, 0.75, 0.75] };
    for (let i = 0; i < 30; i++) {
      const own = crops.contrastive(fixed, streamOf(i), square, sides([0.9, 0.9, 1, 1]));
      const given = { ...fixed, box: undefined };
      const same = crops.contrastive(given, streamOf(i), square, sides([0.25, 0.25, 0.75, 0.75]));
      expect(own).toEqual(same);
    }
  });
});

/** Overlap over union of two rectangles. */
function overlap(a: Rectangle, b: Rectangle): number {
  const across = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const down = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  const both = Math.max(0, across) * Math.max(0, down);
  return both / (a.width * a.height + b.width * b.height - both);
}

// 200,000 pairs in a 32 × 32 image, of an independent program without the exact last position
describe("how much two crops of one image overlap", () => {
  test.each<[string, BoxSides, number, number, number]>([
    ["whole image", [0, 0, 1, 1], 1, 0.5136, 0],
    ["whole image", [0, 0, 1, 1], 0.1, 0.4493, 0],
    ["SimCCrop", [0.25, 0.25, 0.75, 0.75], 0.6, 0.4913, 0.1025],
    ["small box", [0.4, 0.4, 0.6, 0.6], 0.6, 0.5541, 0.6899],
  ])("%s %j, alpha %d", (_name, box, alpha, meanOverlap, restricted) => {
    const drawn = { ...options, alpha, exact: false, box };
    const crop = (i: number) => crops.contrastive(drawn, streamOf(i), square);
    let sum = 0;
    for (let i = 0; i < 20_000; i++) sum += overlap(crop(2 * i), crop(2 * i + 1));
    expect(Math.abs(sum / 20_000 - meanOverlap)).toBeLessThan(0.005);
    const layout = {
      count: 500,
      widths: new Int32Array(500).fill(32),
      heights: new Int32Array(500).fill(32),
    };
    const share = restrictedShare(wholeBoxes(500), layout, drawn, 1);
    expect(Math.abs(share - restricted)).toBeLessThan(0.025); // 4,000 crops
  });
});

describe("boxes of many images", () => {
  test("are whole images until they are set", () => {
    const boxes = wholeBoxes(3);
    setBox(boxes, 1, sides([0.25, 0.5, 0.75, 1]));
    expect(boxAt(boxes, 0)).toEqual(wholeBox);
    expect(boxAt(boxes, 1)).toEqual(sides([0.25, 0.5, 0.75, 1]));
    expect(boxAt(boxes, 2)).toEqual(wholeBox);
    expect(meanArea(boxes)).toBeCloseTo((1 + 0.25 + 1) / 3, 7);
  });

  test("restrict what they restrict in their own image's shape", () => {
    const boxes = wholeBoxes(2);
    setBox(boxes, 0, sides([0, 0, 0.1, 1]));
    const layout = (width: number) => ({
      count: 2,
      widths: Int32Array.of(width, width),
      heights: Int32Array.of(40, 40),
    });
    expect(restrictedShare(boxes, layout(40), options, 1)).toBeGreaterThan(0.3);
    expect(restrictedShare(wholeBoxes(2), layout(40), options, 1)).toBe(0);
  });
});
