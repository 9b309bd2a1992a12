import { numpy as np } from "@jax-js/jax";
import { expect, test } from "vitest";

import { hostArray, type HostArray, type HostRecord } from "../core/arrays.ts";
import { randomStream } from "../core/random.ts";
import type { ArrayRecord } from "../core/trees.ts";
import { sceneFor } from "../conformance/scene.ts";
import { compile } from "../engine/index.ts";
import { float32, int32, numbers } from "../testing/arrays.ts";
import { gloFnd } from "./gloFnd.ts";

const [D, B, M] = [6, 3, 40];
const sizes = { anchors: B, candidates: M, images: B, datasetSize: D, width: 4 };

/** A step of anchors of three images against 40 candidates that are all negatives. */
const step = (options: object) => (similarity: np.Array, ids: np.Array, state: ArrayRecord) => {
  const marks = { ids: ids.ref, groups: ids.ref, labels: ids };
  const scene = sceneFor(similarity, { anchors: marks, state });
  const positive = np.zerosLike(similarity.ref);
  const pairs = { positive, negative: np.onesLike(similarity) };
  const sampled = gloFnd.apply(scene, pairs, { ...options, warmup: 0 });
  return { state: sampled.state!, negative: sampled.terms[0].pairs.negative };
};

type Result = { state: HostRecord; negative: HostArray };

test("thresholds become the quantile of all cosines, in whatever batches they come", async () => {
  const options = { alpha: 0.1, rate: 0.02, massPreserving: false };
  const stream = randomStream(12, "gloFnd");
  // cosines of image i are uniform in [−1, i / 10]
  const batch = (images: number[]) =>
    float32(
      [B, M],
      images.flatMap((i) => Array.from({ length: M }, () => stream.uniform(-1, i / 10))),
    );
  let state = gloFnd.state!(options, sizes);
  const first = [batch([0, 2, 4]), int32([0, 2, 4]), state] as const;
  const program = await compile(step(options), [...first], { device: "cpu" });
  for (let at = 0; at < 400; at++) {
    const images = at % 2 === 0 ? [0, 2, 4] : [5, 3, 1];
    const result = (await program.run(batch(images), int32(images), state)) as unknown as Result;
    state = result.state;
  }
  await program.dispose();
  numbers(state.threshold).forEach((threshold, i) => {
    const share = (i / 10 - threshold) / (i / 10 + 1);
    expect(Math.abs(share - 0.1)).toBeLessThan(0.06); // the last steps are ± 0.02 each
  });
  expect(numbers(state.updates)).toEqual([200, 200, 200, 200, 200, 200]);
});

test("drops what is above, keeps the sum, and leaves images that are not in the batch", async () => {
  const options = { alpha: 0.1, start: "one" } as const;
  const state = {
    ...gloFnd.state!(options, sizes),
    threshold: hostArray("float32", [D], Float32Array.from([0.5, 1, 1, 1, 0.9, 1])),
  };
  const row = Array.from({ length: M }, (_, j) => (j < 10 ? 0.8 : 0));
  const given = [float32([B, M], [...row, ...row, ...row]), int32([0, 4, 2]), state] as const;
  const program = await compile(step(options), [...given], { device: "cpu" });
  const result = (await program.run(...given)) as unknown as Result;
  await program.dispose();
  const negative = numbers(result.negative);
  expect(negative.slice(0, 11).map((w) => Number(w.toFixed(5)))).toEqual([
    ...Array<number>(10).fill(0),
    Number((40 / 30).toFixed(5)),
  ]);
  expect(negative.slice(M)).toEqual(Array(2 * M).fill(1));
  // a quarter above 0.5 is more than a tenth, nothing above the others is less: one whole step each
  const moved = numbers(result.state.threshold).map((value) => Number(value.toFixed(5)));
  expect(moved).toEqual([0.55, 1, 0.95, 1, 0.85, 1]);
});
