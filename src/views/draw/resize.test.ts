import { describe, expect, test } from "vitest";

import { type Interpolation, resampling } from "./resize.ts";

describe("resampling", () => {
  test("is a triangle unless asked otherwise", () => {
    const { first, weight, taps } = resampling(4, 8);
    expect([first[3], taps]).toEqual([1, 2]);
    expect([...weight.subarray(6, 8)]).toEqual([0.75, 0.25]);
  });

  test("is Keys' cubic with a = −0.5", () => {
    const { first, weight, taps } = resampling(4, 8, "bicubic");
    expect([first[3], taps]).toEqual([0, 4]);
    // at 1.25 before, 0.25 before, 0.75 and 1.75 behind the middle
    expect([...weight.subarray(12, 16)]).toEqual([-0.0703125, 0.8671875, 0.2265625, -0.0234375]);
  });

  test.each<Interpolation>(["bilinear", "bicubic", "lanczos"])(
    "%s keeps what is even",
    (filter) => {
      for (const [from, to] of [
        [3, 7],
        [20, 6],
        [1, 5],
      ]) {
        const { weight, taps } = resampling(from, to, filter);
        for (let i = 0; i < to; i++) {
          const sum = weight.subarray(i * taps, (i + 1) * taps).reduce((a, b) => a + b, 0);
          expect(sum).toBeCloseTo(1, 6);
        }
      }
    },
  );
});
