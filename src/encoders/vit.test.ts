import { numpy as np } from "@jax-js/jax";
import { describe, expect, test } from "vitest";

import { evaluate, float32, numbers } from "../testing/arrays.ts";
import { sizeOf } from "../core/arrays.ts";
import type { Network, Variables } from "./network.ts";
import { vit, vitSmall, vitTiny } from "./vit.ts";

const parameterCount = (network: Network) =>
  Object.values(network.parameters).reduce((sum, { shape }) => sum + sizeOf(shape), 0);

describe("vit", () => {
  test("has the parameters that timm counts, less the classifier", () => {
    // timm: 5,717,416 and 22,050,664 at 224 px and patches of 16, of which (D + 1) · 1000 classify
    const context = { imageSize: 224 };
    expect(parameterCount(vitTiny({}, context))).toBe(5_717_416 - 193_000);
    expect(parameterCount(vitSmall({}, context))).toBe(22_050_664 - 385_000);
  });

  test("decays matrices only", () => {
    const { parameters } = vitTiny();
    const decayed = Object.keys(parameters).filter((name) => parameters[name].decay);
    expect(decayed).toContain("blocks.0.attn.qkv.weight");
    expect(decayed.some((name) => /bias|norm|token|pos_embed/.test(name))).toBe(false);
  });

  test("sees the order of patches through their positions, and nothing else", async () => {
    const network = vit({ dimension: 4, depth: 1, heads: 2, patch: 2 }, { imageSize: 4 });
    const variables = network.init(2);
    const left = [1, 2, 3, 4].flatMap((v) => [v, v, 0, 0]); // left half of every row
    const right = [1, 2, 3, 4].flatMap((v) => [0, 0, v, v]);
    const images = float32([2, 3, 4, 4], [left, left, left, right, right, right].flat());
    const features = async () =>
      numbers(
        await evaluate(
          (v: Variables, x: np.Array) => network.apply(v, x, { training: true }).features,
          variables,
          images,
        ),
      );
    const seen = await features();
    expect(seen.slice(0, 4)).not.toEqual(seen.slice(4));
    variables.parameters.pos_embed.data.fill(0);
    const blind = await features();
    blind.slice(0, 4).forEach((value, i) => expect(value).toBeCloseTo(blind[4 + i], 5));
  });

  test("says when patches do not tile the image", () => {
    expect(() => vitTiny({ patch: 5 }, { imageSize: 32 })).toThrow(
      "vit: images of 32 px do not divide into patches of 5 px",
    );
  });
});
