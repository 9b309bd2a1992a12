import { numpy as np } from "@jax-js/jax";
import { describe, expect, test } from "vitest";

import { evaluate, float32, numbers } from "../testing/arrays.ts";
import type { HostTree } from "../core/arrays.ts";
import { randomStream } from "../core/random.ts";
import { adapters } from "./adapters.ts";
import { mlp } from "./heads.ts";
import { stacked, type Variables } from "./network.ts";

const [N, D] = [5, 6];
const stream = randomStream(4, "adapters");
const rows = Array.from({ length: N * D }, () => 2 * stream.normal());
const mean = Array.from({ length: D }, () => stream.normal());
const deviation = Array.from({ length: D }, () => 1 + stream.uniform(0, 1));

describe.each(Object.entries(adapters))("%s", (_, adapter) => {
  test("is the identity at the start", async () => {
    const network = adapter(D, {});
    const out = await evaluate(
      (v: Variables, x: np.Array) => network.apply(v, x, { training: true }).features,
      network.init(3),
      float32([N, D], rows),
    );
    expect([network.inputs, network.dimension]).toEqual([D, D]);
    numbers(out).forEach((value, i) => expect(value).toBe(Math.fround(rows[i])));
  });

  test("is the standardisation at the start where that is asked for; its statistics stay", async () => {
    const network = adapter(D, { standardise: true });
    const { parameters } = network.init(3);
    const statistics = {
      "adapter.mean": float32([D], mean),
      "adapter.deviation": float32([D], deviation),
    };
    const { features, statistics: after } = (await evaluate(
      (v: Variables, x: np.Array) => network.apply(v, x, { training: true }),
      { parameters, statistics },
      float32([N, D], rows),
    )) as { features: HostTree; statistics: Record<string, HostTree> };
    numbers(features).forEach((value, i) =>
      expect(value).toBeCloseTo((rows[i] - mean[i % D]) / deviation[i % D], 5),
    );
    expect(numbers(after["adapter.mean"])).toEqual(mean.map(Math.fround));
    expect(numbers(after["adapter.deviation"])).toEqual(deviation.map(Math.fround));
  });
});

test("linear is x + W x + b, and weight decay pulls W towards 0", async () => {
  const network = adapters.linear(D, {});
  const weight = Array.from({ length: D * D }, () => stream.normal());
  const parameters = {
    "adapter.0.weight": float32([D, D], weight),
    "adapter.0.bias": float32([D], mean),
  };
  const out = await evaluate(
    (v: Variables, x: np.Array) => network.apply(v, x, { training: true }).features,
    { parameters, statistics: {} },
    float32([N, D], rows),
  );
  numbers(out).forEach((value, i) => {
    const [n, o] = [Math.floor(i / D), i % D];
    let sum = rows[i] + mean[o];
    for (let d = 0; d < D; d++) sum += weight[o * D + d] * rows[n * D + d];
    expect(value).toBeCloseTo(sum, 4);
  });
  expect(network.parameters["adapter.0.weight"].decay).toBe(true);
});

test("a stacked network is one on the features of the other", async () => {
  const [body, top] = [mlp(D, { dimension: 4, batchNorm: true }), adapters.mlp(4, { hidden: 3 })];
  const both = stacked(body, top);
  const all = both.init(7);
  expect(Object.keys(all.parameters)).toEqual([
    ...Object.keys(body.parameters),
    ...Object.keys(top.parameters),
  ]);
  const run = (network: typeof both, v: object, x: ReturnType<typeof float32>) =>
    evaluate(
      (w: Variables, y: np.Array) => network.apply(w, y, { training: false }).features,
      v as never,
      x,
    );
  const x = float32([N, D], rows);
  const below = numbers(await run(body, body.init(7), x));
  const above = numbers(await run(top, top.init(7), float32([N, 4], below)));
  expect(numbers(await run(both, all, x))).toEqual(above);
});
