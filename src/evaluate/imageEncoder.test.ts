import { expect, test, vi } from "vitest";

import type { Rows } from "../inference/index.ts";
import { openLoaded } from "./imageEncoder.ts";

const opened = vi.hoisted((): number[] => []);
const closed = vi.hoisted((): number[] => []);
vi.mock("./embedSet.ts", () => ({
  openEncoder: async (_loaded: unknown, _kind: unknown, { batchSize }: { batchSize: number }) => {
    opened.push(batchSize);
    return {
      embed: async ({ count }: Rows) => ({ data: new Float32Array(count), count, dimension: 1 }),
      dispose: async () => closed.push(batchSize),
    };
  },
}));

test("an encoder is compiled for as many images at once as there are, 128 at most", async () => {
  const encoder = await openLoaded({
    path: "weights.safetensors",
    description: {
      ...{ encoder: { name: "convnet" }, imageSize: 8, dimension: 1, version: "1" },
      ...{ mean: [0, 0, 0], std: [1, 1, 1] },
    },
    network: { dimension: 1 } as never,
    variables: { parameters: {}, statistics: {} },
  });
  expect(encoder.dimension).toBe(1);
  for (const count of [0, 1, 1, 3, 70, 1000]) {
    const features = await encoder.embed({ count, fill: () => undefined });
    expect(features).toMatchObject({ count, dimension: 1 });
  }
  expect(opened).toEqual([1, 4, 128]);
  await encoder.dispose();
  expect(closed).toEqual(opened);
});
