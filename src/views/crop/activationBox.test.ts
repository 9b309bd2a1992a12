import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { expectNear, type GoldenCase, goldenCases, goldenPresent } from "../../../test/golden.ts";
import { type ActivationMap, boxFromActivation } from "./activationBox.ts";
import { wholeBox } from "./boxes.ts";

type BoxCase = GoldenCase<
  { threshold: number; height: number; width: number; returnUpsampled: boolean },
  { features?: number[][][]; heatMap?: number[][] },
  { heatMap: number[][]; indices: number[] | null; box: number[]; upsampled?: number[][] }
>;

/** The map of a case: what is given, or the sum over channels of features. */
function mapOf({ features, heatMap }: BoxCase["inputs"]): ActivationMap {
  const rows = heatMap ?? features![0].map((row) => row.map(() => 0));
  const values = Float64Array.from(rows.flat());
  for (const channel of features ?? []) channel.flat().forEach((value, i) => (values[i] += value));
  return { values, height: rows.length, width: rows[0].length };
}

describe.skipIf(!goldenPresent)("reference cases (need ../shared/golden)", () => {
  test.each(goldenCases<BoxCase>("contrastiveCropBox"))(
    "$id",
    ({ id, params, inputs, ...rest }) => {
      const want = rest.expect;
      const got = boxFromActivation(mapOf(inputs), params);
      const { indices, box } = got;
      const order = indices && [indices.top, indices.left, indices.bottom, indices.right];
      expect(order).toEqual(want.indices);
      expectNear([...got.heatMap], want.heatMap.flat(), 1e-10, id);
      expectNear([box.top, box.left, box.bottom, box.right], want.box, 1e-10, id);
      if (want.upsampled !== undefined) {
        expectNear([...got.upsampled], want.upsampled.flat(), 1e-10, id);
      }
    },
  );

  test("are there", () => expect(goldenCases("contrastiveCropBox")).toHaveLength(16));
});

const map = (rows: number[][]): ActivationMap => ({
  values: rows.flat(),
  height: rows.length,
  width: rows[0].length,
});
const at = (threshold: number) => ({ threshold, height: 24, width: 36 });
const someMap = fc
  .array(fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 5, maxLength: 5 }), {
    minLength: 4,
    maxLength: 4,
  })
  .map(map);

describe("the box of a map", () => {
  test("holds what is active, left and right of it not", () => {
    const { box, indices } = boxFromActivation(
      map([
        [0, 0, 0, 0],
        [0, 0, 9, 0],
        [0, 0, 9, 0],
        [0, 0, 0, 0],
      ]),
      { threshold: 0.5, height: 4, width: 4 },
    );
    expect(indices).toEqual({ top: 1, left: 2, bottom: 2, right: 2 });
    expect(box).toEqual({ left: 0.5, top: 0.25, right: 0.5, bottom: 0.5 });
  });

  test("a map active everywhere ends one pixel before its end", () => {
    const { box } = boxFromActivation(map([[5, 5, 5, 1]]), { threshold: -1, height: 8, width: 16 });
    expect(box).toEqual({ left: 0, top: 0, right: 15 / 16, bottom: 7 / 8 });
  });

  test("a constant map, one of NaN and one with nothing above give the whole image", () => {
    for (const rows of [[[3, 3]], [[NaN, NaN]], [[0, 1]]]) {
      const { box, indices } = boxFromActivation(map(rows), { threshold: 1, height: 4, width: 4 });
      expect([box, indices]).toEqual([wholeBox, null]);
    }
  });

  test("of a higher threshold lies within that of a lower one", () => {
    fc.assert(
      fc.property(someMap, fc.double({ min: 0, max: 0.9, noNaN: true }), (given, threshold) => {
        const low = boxFromActivation(given, at(threshold));
        const high = boxFromActivation(given, at(threshold + 0.05));
        if (high.indices === null || low.indices === null) return;
        expect(high.box.left).toBeGreaterThanOrEqual(low.box.left);
        expect(high.box.top).toBeGreaterThanOrEqual(low.box.top);
        expect(high.box.right).toBeLessThanOrEqual(low.box.right);
        expect(high.box.bottom).toBeLessThanOrEqual(low.box.bottom);
      }),
      { seed: 4, numRuns: 50 },
    );
  });

  test("does not change where the map is stretched and lifted, and turns with it", () => {
    fc.assert(
      fc.property(someMap, ({ values, height, width }) => {
        const box = boxFromActivation({ values, height, width }, at(0.31));
        const lifted = Array.from(values, (value) => 4 * value + 8);
        expect(boxFromActivation({ values: lifted, height, width }, at(0.31))).toEqual(box);
        const mirrored = Array.from(values, (_, i) => {
          const column = i % width;
          return values[i - column + (width - 1 - column)];
        });
        const other = boxFromActivation({ values: mirrored, height, width }, at(0.31)).indices;
        if (box.indices === null) return expect(other).toBeNull();
        const { top, bottom, left, right } = box.indices;
        expect(other).toEqual({ top, bottom, left: 35 - right, right: 35 - left });
      }),
      { seed: 5, numRuns: 50 },
    );
  });
});
