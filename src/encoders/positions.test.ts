import { describe, expect, test } from "vitest";

import { float32 } from "../testing/arrays.ts";
import { resamplePositions, rotations } from "./positions.ts";

describe("resamplePositions", () => {
  test("leaves a grid of the same side, and the tokens before it, as they are", () => {
    const positions = float32([1, 5, 2], [9, 8, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(resamplePositions(positions, 1, 2).data).toEqual(positions.data);
  });

  test("is bicubic with a = −0.75, without antialias, edges repeated", () => {
    // Keys' kernel at −1/6, 1/2 and 7/6 gives weights 1.0868056 and −0.0868056, 1/2 and 1/2, and the first turned round
    const grid = resamplePositions(float32([1, 4, 1], [0, 1, 2, 3]), 0, 3).data;
    const expected = [
      [-0.2604167, 0.3263889, 0.9131944],
      [0.9131944, 1.5, 2.0868056],
      [2.0868056, 2.6736111, 3.2604167],
    ].flat();
    expected.forEach((value, i) => expect(grid[i]).toBeCloseTo(value, 6));
  });

  test("is PIL's and PyTorch's antialiased bicubic where that is asked for", () => {
    const larger = resamplePositions(float32([1, 4, 1], [0, 1, 2, 3]), 0, 3, true).data;
    const five = Array.from({ length: 25 }, (_, i) => (i * i) % 7);
    const smaller = resamplePositions(float32([1, 25, 1], five), 0, 3, true).data;
    // Image.resize((3, 3), BICUBIC) of Pillow, images of mode F
    const pillow = {
      larger: [
        ...[-0.19736843, 0.36842105, 0.93421054, 0.93421054, 1.5, 2.06578946],
        ...[2.06578946, 2.63157892, 3.19736838],
      ],
      smaller: [
        ...[1.38248527, 1.75999999, 2.32023668, 2.39692307, 2.22686863, 1.48307693],
        ...[1.21467459, 1.94075131, 3.02863908],
      ],
    };
    pillow.larger.forEach((value, i) => expect(larger[i]).toBeCloseTo(value, 6));
    pillow.smaller.forEach((value, i) => expect(smaller[i]).toBeCloseTo(value, 6));
  });

  test.each([false, true])("keeps a constant constant, antialias %s", (antialias) => {
    const flat = float32([1, 9, 1], Array<number>(9).fill(0.7));
    for (const side of [2, 5]) {
      const { data } = resamplePositions(flat, 0, side, antialias);
      data.forEach((value) => expect(value).toBeCloseTo(0.7, 6));
    }
  });
});

describe("rotations", () => {
  test("turn by coordinates of patch centres, the tokens before the grid not at all", () => {
    const { cos, sin } = rotations(2, { prefix: 1, size: 8, base: 100 });
    expect([...cos.subarray(0, 8)]).toEqual(Array<number>(8).fill(1));
    expect([...sin.subarray(0, 8)]).toEqual(Array<number>(8).fill(0));
    const angles = [-Math.PI, -Math.PI / 10, Math.PI, Math.PI / 10]; // rows at −1/2, columns at 1/2
    [...angles, ...angles].forEach((angle, d) => {
      expect(cos[2 * 8 + d]).toBeCloseTo(Math.cos(angle), 6);
      expect(sin[2 * 8 + d]).toBeCloseTo(Math.sin(angle), 6);
    });
  });
});
