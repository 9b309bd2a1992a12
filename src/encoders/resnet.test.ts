import { numpy as np } from "@jax-js/jax";
import { describe, expect, test } from "vitest";

import { evaluate, float32, numbers } from "../testing/arrays.ts";
import { sizeOf } from "../core/arrays.ts";
import { randomStream } from "../core/random.ts";
import { maxPool } from "./layers.ts";
import type { Network, Variables } from "./network.ts";
import { resnet, resnet18, resnet34, resnet50 } from "./resnet.ts";

const parameterCount = (network: Network) =>
  Object.values(network.parameters).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
const large = { imageSize: 224 };

describe("resnet", () => {
  test("has the parameters that torchvision counts, less the classifier", () => {
    // torchvision: 11,689,512, 21,797,672 and 25,557,032, of which the classifier has (D + 1) · 1000
    expect(parameterCount(resnet18({}, large))).toBe(11_689_512 - 513_000);
    expect(parameterCount(resnet34({}, large))).toBe(21_797_672 - 513_000);
    expect(parameterCount(resnet50({}, large))).toBe(25_557_032 - 2_049_000);
  });

  test("names and orders its arrays as torchvision does", () => {
    const { parameters, statistics } = resnet18({}, large);
    const names = Object.keys(parameters);
    expect(names.slice(0, 9)).toEqual([
      "conv1.weight",
      "bn1.weight",
      "bn1.bias",
      "layer1.0.conv1.weight",
      "layer1.0.bn1.weight",
      "layer1.0.bn1.bias",
      "layer1.0.conv2.weight",
      "layer1.0.bn2.weight",
      "layer1.0.bn2.bias",
    ]);
    expect(names.filter((name) => name.includes("downsample")).slice(0, 3)).toEqual([
      "layer2.0.downsample.0.weight",
      "layer2.0.downsample.1.weight",
      "layer2.0.downsample.1.bias",
    ]);
    expect(parameters["conv1.weight"].shape).toEqual([64, 3, 7, 7]);
    expect(parameters["layer2.0.downsample.0.weight"].shape).toEqual([128, 64, 1, 1]);
    expect(Object.keys(statistics)).toContain("layer4.1.bn2.running_var");
    const deep = resnet50({}, large).parameters;
    expect(deep["layer1.0.downsample.0.weight"].shape).toEqual([256, 64, 1, 1]);
    expect(deep["layer2.0.conv2.weight"].shape).toEqual([128, 128, 3, 3]);
    expect(deep["layer4.2.conv3.weight"].shape).toEqual([2048, 512, 1, 1]);
  });

  test("takes the small stem for small images and the other for large ones", () => {
    expect(resnet18({}, { imageSize: 32 }).parameters["conv1.weight"].shape).toEqual([64, 3, 3, 3]);
    expect(resnet18({ stem: "small" }, large).parameters["conv1.weight"].shape).toEqual([
      64, 3, 3, 3,
    ]);
  });

  test("starts kernels with variance 2 / fan-out, norms at 1 and 0, and the same for the same seed", () => {
    const network = resnet({ width: 16, blocks: [1, 1], zeroInitResidual: true });
    const { parameters, statistics } = network.init(4);
    const kernel = Array.from(parameters["layer2.0.conv2.weight"].data); // [32, 32, 3, 3]
    const variance = kernel.reduce((sum, w) => sum + w * w, 0) / kernel.length;
    expect(variance / (2 / (32 * 9))).toBeCloseTo(1, 1);
    expect(new Set(parameters["bn1.weight"].data)).toEqual(new Set([1]));
    expect(new Set(parameters["layer1.0.bn2.weight"].data)).toEqual(new Set([0]));
    expect(new Set(statistics["bn1.running_var"].data)).toEqual(new Set([1]));
    expect(network.init(4).parameters).toEqual(parameters);
    expect(network.init(5).parameters["conv1.weight"]).not.toEqual(parameters["conv1.weight"]);
  });

  test("starts kernels within 1/√fan-in where asked, the same everywhere else", () => {
    const { parameters } = resnet({ width: 16, blocks: [1, 1], kernels: "uniformFanIn" }).init(4);
    const kernel = Array.from(parameters["layer2.0.conv1.weight"].data); // [32, 16, 3, 3]
    expect(Math.max(...kernel.map(Math.abs)) * 12).toBeLessThanOrEqual(1);
    const variance = kernel.reduce((sum, w) => sum + w * w, 0) / kernel.length;
    expect(variance * 3 * 144).toBeCloseTo(1, 1);
    const other = resnet({ width: 16, blocks: [1, 1] }).init(4).parameters;
    expect(Object.keys(parameters)).toEqual(Object.keys(other));
    expect(parameters["bn1.weight"]).toEqual(other["bn1.weight"]);
  });

  test("with the standard stem makes one feature vector an image", async () => {
    const network = resnet({ width: 1, blocks: [1], stem: "standard" });
    const images = float32([2, 3, 8, 8], new Array<number>(384).fill(0).map(Math.cos));
    const features = await evaluate(
      (variables: Variables, x: np.Array) =>
        network.apply(variables, x, { training: false }).features,
      network.init(1),
      images,
    );
    expect(numbers(features).every(Number.isFinite)).toBe(true);
    expect(numbers(features)).toHaveLength(2);
  });
});

describe("maxPool", () => {
  test.each([4, 5, 7])("is the largest of each 3 × 3 window, for %i px", async (size) => {
    const stream = randomStream(size, "pool");
    const image = Array.from({ length: size * size }, () => Math.max(0, stream.normal()));
    const out = Math.floor((size - 1) / 2) + 1;
    const want = Array.from({ length: out * out }, (_, at) => {
      const [y, x] = [Math.floor(at / out) * 2, (at % out) * 2];
      let best = 0;
      for (let i = Math.max(0, y - 1); i <= Math.min(size - 1, y + 1); i++) {
        for (let j = Math.max(0, x - 1); j <= Math.min(size - 1, x + 1); j++) {
          best = Math.max(best, image[i * size + j]);
        }
      }
      return Math.fround(best);
    });
    const got = await evaluate(
      (x: np.Array) => maxPool.apply(undefined as never, x),
      float32([1, 1, size, size], image),
    );
    expect(numbers(got)).toEqual(want);
  });
});
