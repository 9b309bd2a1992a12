import { expect, test } from "vitest";

import { randomStream } from "../core/random.ts";
import type { Features } from "./features.ts";
import { knnClassify } from "./knn.ts";
import { suggestRows } from "./suggestRows.ts";

const [KINDS, EACH, D] = [5, 30, 12];
const stream = randomStream(3, "suggest");

/** Clusters of planted kinds around unit vectors; row 0 of each is its very middle. */
function planted(): Features {
  const data = new Float32Array(KINDS * EACH * D);
  for (let row = 0; row < KINDS * EACH; row++) {
    const kind = Math.floor(row / EACH);
    for (let d = 0; d < D; d++) {
      const noise = row % EACH === 0 ? 0 : 0.15 * stream.normal();
      data[row * D + d] = (d === kind ? 3 : 0) + noise;
    }
  }
  return { data, count: KINDS * EACH, dimension: D };
}

const features = planted();
const kindOf = (row: number) => Math.floor(row / EACH);
const none = new Int32Array(features.count).fill(-1);

test("of planted clusters each gives the row in its middle", async () => {
  const found = await suggestRows(features, none, { count: KINDS });
  expect(found.map(({ row }) => row).sort((a, b) => a - b)).toEqual(
    Array.from({ length: KINDS }, (_, kind) => kind * EACH),
  );
  expect(found.map(({ why, clusterSize }) => [why, clusterSize])).toEqual(
    found.map(() => ["typical", EACH]),
  );
});

test("clusters without a label come first, and no labelled row is suggested again", async () => {
  const labels = none.slice();
  for (const kind of [0, 1, 2]) labels[kind * EACH] = kind;
  const found = await suggestRows(features, labels, { count: 2 });
  expect(found.map(({ row }) => kindOf(row)).sort()).toEqual([3, 4]);
  const all = await suggestRows(features, labels, { count: features.count - 3 });
  expect(new Set(all.map(({ row }) => row)).size).toBe(features.count - 3);
  expect(all.every(({ row }) => labels[row] < 0)).toBe(true);
});

test("the row between two labelled kinds is the uncertain one", async () => {
  const more = { ...features, count: features.count + 1 };
  const between = Float32Array.from({ length: D }, (_, d) => (d < 2 ? 3 : 0));
  more.data = Float32Array.from([...features.data, ...between]);
  const labels = Int32Array.from({ length: more.count }, (_, row) =>
    row < features.count && row % EACH < 3 ? kindOf(row) : -1,
  );
  const found = await suggestRows(more, labels, { count: 4, uncertain: 1 });
  const unsure = found.filter(({ why }) => why === "uncertain");
  expect(unsure).toHaveLength(1);
  expect(unsure[0].row).toBe(features.count);
  expect([0, 1]).toContain(unsure[0].guess);
  expect(found).toHaveLength(4);
});

test("the margin is the lead of the vote", () => {
  const of = (rows: number[][]) => ({
    data: Float32Array.from(rows.flat()),
    count: rows.length,
    dimension: 2,
  });
  const train = {
    features: of([
      [1, 0],
      [0, 1],
      [0, 1],
    ]),
    labels: [0, 1, 1],
    classes: 3,
  };
  const test = {
    features: of([
      [1, 0],
      [1, 1],
    ]),
    labels: [-1, -1],
  };
  const { margins, predictions } = knnClassify(train, test, { k: 3, temperature: 1 });
  const [near, far] = [1, 2 * Math.exp(-1)];
  expect(margins[0]).toBeCloseTo((near - far) / (near + far), 6);
  expect(margins[1]).toBeCloseTo(1 / 3, 6);
  expect([...predictions]).toEqual([0, 1]);
});

test("more rows than there are without a label are refused", async () => {
  await expect(suggestRows(features, none, { count: 151 })).rejects.toThrow(
    "expected 1 to the 150",
  );
});
