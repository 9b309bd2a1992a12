import { describe, expect, test } from "vitest";

import { keyAndQueue, type Rows, sample } from "../testing/scene.ts";
import { randomStream } from "../core/random.ts";
import { hardest } from "./hardest.ts";

const stream = randomStream(13, "hardest");
const cosines: Rows = Array.from({ length: 4 }, () =>
  Array.from({ length: 21 }, () => Math.fround(stream.uniform(-1, 1))),
);

const byLoops = (rows: Rows, negative: Rows, count: number): Rows =>
  rows.map((row, i) => {
    const kept = row
      .map((_, j) => j)
      .filter((j) => negative[i][j] > 0)
      .sort((a, b) => row[b] - row[a] || a - b)
      .slice(0, count);
    return row.map((_, j) => (kept.includes(j) ? negative[i][j] : 0));
  });

describe("hardest", () => {
  test("keeps the most similar negatives, by number or by share, as loops do", async () => {
    const pairs = keyAndQueue(4, 21);
    pairs.negative[1].fill(0, 3); // two negatives
    pairs.negative[2].fill(0); // none
    pairs.negative[3] = pairs.negative[3].map((weight) => weight * 0.5);
    for (const [options, count] of [
      [{ count: 3 }, 3],
      [{ share: 0.29 }, 5], // 5.8
      [{ share: 0.01 }, 1],
      [{ count: 50 }, 20],
      [{ share: 1 }, 20],
    ] as const) {
      const { positive, negative } = await sample(hardest, { similarity: cosines }, pairs, options);
      expect(positive).toEqual(pairs.positive);
      expect(negative).toEqual(byLoops(cosines, pairs.negative, count));
    }
  });

  test("goes by the ranking, and gives ties to the lower column", async () => {
    const ranking = [[0, 0.2, 0.7, 0.7, 0.1, 0.7]];
    const scene = { similarity: [[1, 0.9, 0.1, 0.1, 0.8, 0.1]], ranking };
    const { negative } = await sample(hardest, scene, keyAndQueue(1, 6), { count: 2 });
    expect(negative).toEqual([[0, 0, 1, 1, 0, 0]]);
  });
});
