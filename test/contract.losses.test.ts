import { readdirSync } from "node:fs";

import type { numpy as np } from "@jax-js/jax";
import { describe, expect, test } from "vitest";

import type { HostRecord } from "../src/core/arrays.ts";
import type { Pairs } from "../src/core/pairs.ts";
import { randomStream } from "../src/core/random.ts";
import { differentiate } from "../src/core/trees.ts";
import { compile } from "../src/engine/index.ts";
import { losses } from "../src/losses/index.ts";
import { evaluate, float32, float64, numbers } from "./arrays.ts";

const [N, M] = [4, 5];
const stream = randomStream(3, "losses");
const similarity = Array.from({ length: N * M }, () => stream.uniform(-1, 1));
// the last anchor has no positive
const positive = [1, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0.5, 0, 0, 0, 0, 0, 0];
const negative = [0, 1, 1, 0, 1, 1, 0, 0, 1, 1, 1, 1, 2, 0, 0, 1, 1, 1, 1, 1];
const pairsOf = (array: typeof float32 | typeof float64) => ({
  positive: array([N, M], positive),
  negative: array([N, M], negative),
});

test("the catalogue lists every loss under the name of its file", () => {
  const files = readdirSync(new URL("../src/losses/", import.meta.url));
  const apart = ["index", "loss", "instanceNce", "reweighted"]; // not of similarities and pairs alone
  const named = files
    .filter((file) => !file.includes(".test."))
    .map((file) => file.replace(".ts", ""))
    .filter((name) => !apart.includes(name));
  expect(Object.keys(losses).sort()).toEqual(named.sort());
});

describe.each(Object.entries(losses))("every loss: %s", (name, loss) => {
  const perAnchor = (s: np.Array, pairs: Pairs) => loss(s, pairs);

  test("has its own name, a summary and a source with a year", () => {
    expect(loss.name).toBe(name);
    expect(loss.summary).toMatch(/\.$/);
    expect(loss.source).toMatch(/\d{4}/);
    for (const option of Object.values(loss.options.shape)) {
      expect((option as { description?: string }).description).toBeTruthy();
    }
  });

  test("gives one finite number an anchor, and 0 to an anchor without positives", async () => {
    const each = numbers(await evaluate(perAnchor, float32([N, M], similarity), pairsOf(float32)));
    expect(each).toHaveLength(N);
    expect(each.every(Number.isFinite)).toBe(true);
    expect(each[3]).toBe(0);
  });

  test("measures the scalars that it declares, in [0, 1] where it says so", async () => {
    const measured = (await evaluate(
      (s: np.Array, pairs: Pairs) => loss.measure(s, pairs),
      float32([N, M], similarity),
      pairsOf(float32),
    )) as HostRecord;
    expect(Object.keys(measured)).toEqual(Object.keys(loss.metrics));
    for (const [metric, meaning] of Object.entries(loss.metrics)) {
      const value = measured[metric];
      expect(value.shape).toEqual([]);
      expect(Number.isFinite(numbers(value)[0])).toBe(true);
      if (!meaning.includes("[0, 1]")) continue;
      expect(numbers(value)[0]).toBeGreaterThanOrEqual(0);
      expect(numbers(value)[0]).toBeLessThanOrEqual(1);
    }
  });

  test("is the same on ONNX Runtime as on jax-js", async () => {
    const args = [float32([N, M], similarity), pairsOf(float32)];
    const program = await compile(perAnchor, args, { device: "cpu" });
    const fast = numbers(await program.run(...args));
    await program.dispose();
    const slow = numbers(await evaluate(perAnchor, ...args));
    fast.forEach((value, i) => expect(value).toBeCloseTo(slow[i], 5));
  });

  test("has the gradient that central differences see", async () => {
    const objective = ({ s }: { s: np.Array }, pairs: Pairs): [np.Array, Record<string, never>] => [
      loss(s, pairs).sum(),
      {},
    ];
    const step = 1e-4;
    const nudged = similarity.flatMap((_, at) =>
      [step, -step].map((by) => similarity.map((s, i) => (i === at ? s + by : s))),
    );
    // all nudged copies as more anchors of one call
    const repeat = (values: number[]) => nudged.flatMap(() => values);
    const shape = [nudged.length * N, M];
    const sums = numbers(
      await evaluate(perAnchor, float64(shape, nudged.flat()), {
        positive: float64(shape, repeat(positive)),
        negative: float64(shape, repeat(negative)),
      }),
    );
    const total = (copy: number) =>
      sums.slice(copy * N, (copy + 1) * N).reduce((sum, value) => sum + value, 0);
    const { gradient } = (await evaluate(
      (s: np.Array, pairs: Pairs) => {
        const { value, gradient } = differentiate(objective)({ s }, pairs);
        return { value, gradient };
      },
      float64([N, M], similarity),
      pairsOf(float64),
    )) as { gradient: HostRecord };
    numbers(gradient.s).forEach((slope, i) => {
      expect(slope).toBeCloseTo((total(2 * i) - total(2 * i + 1)) / (2 * step), 5);
    });
  });
});
