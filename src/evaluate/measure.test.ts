import { expect, test } from "vitest";

import { randomStream } from "../core/random.ts";
import type { Features } from "../metrics/index.ts";
import { accuracies } from "./measure.ts";
import type { Split } from "./split.ts";

const [LARGE, SMALL] = [40, 8];
const labels = Int32Array.from({ length: LARGE + SMALL }, (_, i) => (i < LARGE ? 0 : 1));

/** A feature that tells the classes apart, beside four much larger ones that do not. */
function drawn(name: string): Features {
  const stream = randomStream(5, name);
  const rows = Array.from(labels, (label) => [
    0.1 * stream.normal() + (label === 0 ? -1 : 1),
    ...Array.from({ length: 4 }, () => 40 * stream.normal()),
  ]);
  return { data: Float32Array.from(rows.flat()), count: labels.length, dimension: 5 };
}

test("balanced accuracy is the mean of the classes', and standardising shows what a large feature hides", () => {
  const part = { images: undefined as never, indices: Int32Array.from(labels.keys()), labels };
  const split: Split = { train: part, test: part, classes: ["many", "few"], how: "drawn" };
  const found = accuracies(split, drawn("train"), drawn("test"), { k: 5, temperature: 0.07 });
  const { knn, knnStandardised, linear } = found;
  expect(knn!.accuracy).toBeLessThan(0.8);
  expect(knn!.balanced).toBeLessThan(knn!.accuracy - 0.1); // the large class is what it gets right
  for (const one of [knnStandardised!, linear!]) {
    expect([one.accuracy, one.balanced]).toEqual([1, 1]);
  }
  const plain = accuracies(
    split,
    drawn("train"),
    drawn("test"),
    { k: 5, temperature: 0.07 },
    {
      standardised: false,
    },
  );
  expect(plain).toEqual({ knn, linear });
});
