import { expect, test, vi } from "vitest";

import type { LoadedEncoder, Rows } from "../inference/index.ts";
import { openLoaded } from "./imageEncoder.ts";

const opened = vi.hoisted((): number[] => []);
const closed = vi.hoisted((): number[] => []);
vi.mock("./embedSet.ts", () => {
  const open = (asFixed: boolean) => async (_loaded: unknown, _kind: unknown, options: object) => {
    const { batchSize } = options as { batchSize: number };
    opened.push(asFixed ? -batchSize : batchSize);
    return {
      embed: async ({ count }: Rows) => ({ data: new Float32Array(count), count, dimension: 1 }),
      dispose: async () => closed.push(asFixed ? -batchSize : batchSize),
    };
  };
  return { openEncoder: open(false), openFixedEncoder: open(true) };
});

const loaded: LoadedEncoder = {
  path: "weights.safetensors",
  description: {
    encoder: { name: "convnet" },
    imageSize: 8,
    dimension: 1,
    version: "1",
    mean: [0, 0, 0],
    std: [1, 1, 1],
  },
  network: { dimension: 1 } as never,
  variables: { parameters: {}, statistics: {} },
};

test.each([
  { device: "reference", sizes: [1, 4, 128] },
  { device: "cpu", sizes: [-1, -4, -16] }, // with its weights inside
])("on $device an encoder is compiled for $sizes images at once", async ({ device, sizes }) => {
  opened.length = closed.length = 0;
  const encoder = await openLoaded(loaded, { device });
  expect(encoder.dimension).toBe(1);
  for (const count of [0, 1, 1, 3, 70, 1000]) {
    const features = await encoder.embed({ count, fill: () => undefined });
    expect(features).toMatchObject({ count, dimension: 1 });
  }
  expect(opened).toEqual(sizes);
  await encoder.dispose();
  expect(closed).toEqual(opened);
});
