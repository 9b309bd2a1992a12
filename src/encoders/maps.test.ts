import type { numpy as np } from "@jax-js/jax";
import { describe, expect, test } from "vitest";

import { evaluate, float32, numbers } from "../testing/arrays.ts";
import type { HostArray, HostTree } from "../core/arrays.ts";
import { randomStream } from "../core/random.ts";
import { compile } from "../engine/index.ts";
import { encoders } from "./index.ts";
import type { Network, Variables } from "./network.ts";

const stream = randomStream(3, "maps");
const images = (side: number) =>
  float32(
    [2, 3, side, side],
    Array.from({ length: 6 * side * side }, () => stream.normal()),
  );
const networks: [string, Network, number, number][] = [
  ["resnet", encoders.resnet({ width: 2, blocks: [1, 1] }, { imageSize: 8 }), 8, 4],
  [
    "resnet for large images",
    encoders.resnet({ width: 2, blocks: [1, 1], stem: "standard" }, { imageSize: 19 }),
    19,
    3,
  ],
  ["resnet50", encoders.resnet50({ width: 1 }, { imageSize: 8 }), 8, 1],
  ["convnet", encoders.convnet({ width: 2, depth: 3 }, { imageSize: 8 }), 8, 2],
];

describe.each(networks)("maps of %s", (_name, network, size, side) => {
  const variables = network.init(4);
  const both = (v: Variables, w: Variables, x: np.Array) => ({
    features: network.apply(v, x.ref, { training: false }).features,
    maps: network.maps!(w, x),
  });

  test("are not negative, and their mean is the sum of the features", async () => {
    const given = [variables, variables, images(size)] as HostTree[];
    const { features, maps } = (await evaluate(both, ...given)) as Record<string, HostArray>;
    expect(maps.shape).toEqual([2, side, side]);
    expect(numbers(maps).every((value) => value >= 0)).toBe(true);
    const places = side * side;
    for (const n of [0, 1]) {
      const mean = numbers(maps)
        .slice(n * places, (n + 1) * places)
        .reduce((sum, value) => sum + value / places, 0);
      const total = numbers(features)
        .slice(n * network.dimension, (n + 1) * network.dimension)
        .reduce((sum, value) => sum + value, 0);
      expect(mean).toBeCloseTo(total, 4);
    }
  });

  test("are the same on ONNX Runtime", async () => {
    const maps = (v: Variables, x: np.Array) => network.maps!(v, x);
    const given = [variables, images(size)] as HostTree[];
    const program = await compile(maps, given, { device: "cpu", tune: false });
    const fast = numbers(await program.run(...given));
    await program.dispose();
    const slow = numbers(await evaluate(maps, ...given));
    fast.forEach((value, i) => expect(value).toBeCloseTo(slow[i], 4));
  });
});

test("a vision transformer and a head have none", () => {
  expect(encoders.vit({ dimension: 4, heads: 2, depth: 1 }).maps).toBeUndefined();
});
