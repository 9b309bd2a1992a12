import { expect, test } from "vitest";

import { randomStream } from "../core/random.ts";
import { encoders } from "../encoders/index.ts";
import { exportOnnx } from "../engine/index.ts";
import { featuresOf, openFeatures, openFixedEmbedder } from "./embedder.ts";

const block = { kind: "separable" as const, kernel: 3, stride: 2, hidden: 8, outputs: 12 };
const network = encoders.mobilenet({ stem: 8, stages: [[block]], head: 16 });
const variables = network.init(2);
const stream = randomStream(5, "pixels");
const pixels = Float32Array.from({ length: 21 * 3 * 256 }, () => stream.uniform(-2, 2));
const rows = {
  count: 21,
  fill(row: number, out: Float32Array, offset: number) {
    out.set(pixels.subarray(768 * row, 768 * (row + 1)), offset);
  },
};

test("weights inside give the features that weights beside give, also of the last, smaller batch", async () => {
  const beside = await openFeatures(network, variables, { imageSize: 16 }, { batchSize: 21 });
  const size = { dimension: network.dimension, imageSize: 16 };
  const inside = await openFixedEmbedder(featuresOf(network), variables, size, { batchSize: 8 });
  const [expected, found] = [await beside.embed(variables, rows), await inside.embed(rows)];
  const largest = Math.max(...expected.map(Math.abs));
  expect(found).toHaveLength(21 * network.dimension);
  found.forEach((value, i) => expect(Math.abs(value - expected[i])).toBeLessThan(1e-5 * largest));
  await beside.dispose();
  await inside.dispose();
});

test("relu6 is one operator in a model", async () => {
  const names = { input: "images", output: "features", weight: (path: string) => path };
  const shape = { shape: [3, 16, 16], batch: 2 };
  const model = Buffer.from((await exportOnnx(featuresOf(network), variables, shape, names))!);
  expect([model.includes("Clip"), model.includes("Min")]).toEqual([true, false]);
});
