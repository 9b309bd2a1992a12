import { describe, expect, test } from "vitest";

import { otherImage } from "./falsePositives.ts";
import { drawImageViews } from "./imageViews.ts";
import { PACKED_PARAMETERS, packParameters, unpackParameters } from "./load/packedParameters.ts";
import { viewPolicy } from "./viewOptions.ts";

const place = (image: number) => ({ seed: 2, epoch: 1, image });

describe("known false positives", () => {
  test("there are none by default, and never in view 0", () => {
    for (let image = 0; image < 50; image++) {
      expect(otherImage({ falsePositives: 0 }, place(image), 1, 50)).toBeUndefined();
      expect(otherImage({ falsePositives: 1 }, place(image), 0, 50)).toBeUndefined();
    }
    expect(otherImage({ falsePositives: 1 }, place(0), 1, 1)).toBeUndefined(); // no other image
  });

  test("come at their rate, never from the image itself, from all others alike", () => {
    const counts = new Array<number>(10).fill(0);
    let found = 0;
    for (let i = 0; i < 20_000; i++) {
      const other = otherImage({ falsePositives: 0.3 }, { seed: i, epoch: 0, image: 4 }, 1, 10);
      if (other === undefined) continue;
      found++;
      counts[other]++;
    }
    expect(Math.abs(found / 20_000 - 0.3)).toBeLessThan(0.012);
    expect(counts[4]).toBe(0);
    counts.forEach((n, i) => i !== 4 && expect(Math.abs(n - found / 9)).toBeLessThan(110)); // 4 σ
  });

  const other = { id: 7, size: { width: 12, height: 90 } };
  const own = { width: 60, height: 50 };
  const policy = viewPolicy({
    count: 3,
    perView: [{}, {}, { share: { from: 0, transforms: ["crop", "colour"] } }],
  });

  test("keep the other draws, and are drawn for the size of the image they show", () => {
    const plain = drawImageViews(policy, place(3), own);
    const mixed = drawImageViews(policy, place(3), own, {
      other: (view) => (view === 1 ? other : undefined),
    });
    expect([mixed[0], mixed[2]]).toEqual([plain[0], plain[2]]);
    expect(mixed[1]).toMatchObject({ source: 7, jitter: plain[1].jitter, flip: plain[1].flip });
    expect(mixed[1].crop.x + mixed[1].crop.width).toBeLessThanOrEqual(12);
  });

  test("take over colours from the view they share with, but no crop of another image", () => {
    const [query, , key] = drawImageViews(policy, place(3), own, {
      other: (view) => (view === 2 ? other : undefined),
    });
    expect(key.jitter).toEqual(query.jitter);
    expect(key.crop.x + key.crop.width).toBeLessThanOrEqual(12);
  });

  test("are recorded in the parameters", () => {
    const packed = new Float64Array(PACKED_PARAMETERS);
    const [, shown] = drawImageViews(policy, place(3), own, { other: () => other });
    packParameters(shown, packed, 0);
    expect(unpackParameters(packed, 0)).toEqual(shown);
    expect(unpackParameters(packed, 0).source).toBe(7);
  });
});
