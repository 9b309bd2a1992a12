import { describe, expect, test } from "vitest";

import { keyAndQueue, sample } from "../testing/scene.ts";
import { randomStream } from "../core/random.ts";
import { oracle } from "./oracle.ts";

const scene = {
  similarity: Array.from({ length: 2 }, () => [0.9, 0.1, 0.2, 0.3, 0.4, 0.5]),
  anchors: { labels: [1, -1] },
  candidates: { labels: [-1, 1, 2, 1, -1, 2] },
};
const pairs = keyAndQueue(2, 6);

describe("oracle", () => {
  test("drops negatives of the anchor's label; without a label nothing", async () => {
    const { positive, negative } = await sample(oracle, scene, pairs);
    expect(positive).toEqual(pairs.positive);
    expect(negative).toEqual([
      [0, 0, 1, 0, 1, 1],
      [0, 1, 1, 1, 1, 1],
    ]);
  });

  test("keeps the mass of negatives where that is asked for", async () => {
    const weights = [0, 2, 1, 1, 0.5, 0.5]; // 5, of which 2 are left
    const given = { ...pairs, negative: [weights, pairs.negative[1]] };
    const { negative } = await sample(oracle, scene, given, { massPreserving: true });
    [0, 0, 2.5, 0, 1.25, 1.25].forEach((want, j) => expect(negative[0][j]).toBeCloseTo(want, 6));
    expect(negative[1]).toEqual(pairs.negative[1]);
  });

  test("gives 0, not NaN, where nothing is left to scale", async () => {
    const alike = { ...scene, candidates: { labels: [-1, 1, 1, 1, 1, 1] } };
    const { negative } = await sample(oracle, alike, pairs, { massPreserving: true });
    expect(negative[0]).toEqual([0, 0, 0, 0, 0, 0]);
  });
});

describe("noisy oracle", () => {
  const [n, m] = [40, 501];
  const similarity = Array.from({ length: n }, () => Array<number>(m).fill(0));
  const mark = (j: number) => (j % 7 === 6 ? -1 : j % 5);
  const marked = {
    similarity,
    anchors: { labels: Array.from({ length: n }, (_, i) => i % 5) },
    candidates: { labels: Array.from({ length: m }, (_, j) => mark(j)) },
  };
  const wide = keyAndQueue(n, m);
  const sizes = { anchors: n, candidates: m, images: n, datasetSize: m, width: 4 };

  async function picked(options: { precision?: number; recall?: number }) {
    const inputs = oracle.inputs!(options, sizes).make({ progress: 0, stream: randomStream(12) });
    const { negative } = await sample(oracle, { ...marked, inputs }, wide, options, "float32");
    const count = { right: 0, wrong: 0, unknown: 0, there: 0 };
    for (let i = 0; i < n; i++) {
      for (let j = 1; j < m; j++) {
        const same = mark(j) === i % 5;
        count.there += Number(same);
        if (negative[i][j] > 0) continue;
        count[mark(j) < 0 ? "unknown" : same ? "right" : "wrong"]++;
      }
    }
    return count;
  }

  test("has the recall and the precision that were asked for", async () => {
    const { right, wrong, unknown, there } = await picked({ precision: 0.4, recall: 0.6 });
    expect(unknown).toBe(0);
    // 40 anchors with about 86 candidates each: three standard deviations are 0.025
    expect(Math.abs(right / there - 0.6)).toBeLessThan(0.025);
    expect(Math.abs(right / (right + wrong) - 0.4)).toBeLessThan(0.025);
  });

  test("errs one way only where one of them is 1", async () => {
    const careful = await picked({ precision: 1, recall: 0.5 });
    expect(careful.wrong).toBe(0);
    expect(Math.abs(careful.right / careful.there - 0.5)).toBeLessThan(0.03);
    const eager = await picked({ precision: 0.5, recall: 1 });
    expect(eager.right).toBe(eager.there);
    expect(Math.abs(eager.right / (eager.right + eager.wrong) - 0.5)).toBeLessThan(0.03);
  });

  test("draws nothing where it makes no mistakes", () => {
    expect(oracle.inputs!({}, sizes).spec).toEqual({});
  });
});
