import { existsSync, readFileSync } from "node:fs";

import { numpy as np } from "@jax-js/jax";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { evaluate, float32, float64, numbers } from "../../test/arrays.ts";
import { l2Normalize } from "../core/numerics.ts";
import type { Pairs } from "../core/pairs.ts";
import { differentiate } from "../core/trees.ts";
import { pairsOfTwoViews } from "../../test/pairs.ts";
import { infoNce } from "./infoNce.ts";

const golden = new URL("../../../shared/golden/conformance.json", import.meta.url);
type Rows = number[][];
type Case = {
  id: string;
  method: string;
  params: { temperature: number };
  inputs: { view1: Rows; view2: Rows };
  expect: { loss: number; perAnchor: number[]; gradients?: { view1: Rows; view2: Rows } };
  tolerance: { loss: number; gradient: number };
};
const cases = existsSync(golden)
  ? (JSON.parse(readFileSync(golden, "utf8")) as { cases: Case[] }).cases
  : [];

const run = (similarity: Rows, positive: Rows, negative: Rows, temperature: number) => {
  const matrix = (rows: Rows) => float64([rows.length, rows[0].length], rows.flat());
  return evaluate(
    (s: np.Array, pairs: Pairs) => infoNce(s, pairs, { temperature }),
    matrix(similarity),
    { positive: matrix(positive), negative: matrix(negative) },
  );
};

/** The formula as loops over anchors, positives and candidates. */
function byLoops(similarity: Rows, positive: Rows, negative: Rows, temperature: number): number[] {
  return similarity.map((row, i) => {
    const total = row.reduce(
      (sum, s, j) => sum + (positive[i][j] + negative[i][j]) * Math.exp(s / temperature),
      0,
    );
    const weight = positive[i].reduce((sum, w) => sum + w, 0);
    if (weight === 0) return 0;
    const surprise = row.map((s, j) => positive[i][j] * (Math.log(total) - s / temperature));
    return surprise.reduce((sum, value) => sum + value, 0) / weight;
  });
}

describe("infoNce", () => {
  test("is the log of the number of candidates when all similarities are equal", async () => {
    const flat = [[0.3, 0.3, 0.3, 0.3]];
    const [value] = numbers(await run(flat, [[1, 0, 0, 0]], [[0, 1, 1, 1]], 0.1));
    expect(value).toBeCloseTo(Math.log(4), 6);
  });

  test("matches a value worked out by hand", async () => {
    // one positive at 0.5, one negative at 0.1, τ = 0.2: log(1 + e^((0.1 − 0.5) / 0.2))
    const [value] = numbers(await run([[0.5, 0.1]], [[1, 0]], [[0, 1]], 0.2));
    expect(value).toBeCloseTo(Math.log(1 + Math.exp(-2)), 6);
  });

  test("agrees with loops on random similarities and weights, several positives included", async () => {
    const entry = fc.tuple(
      fc.double({ min: -1, max: 1, noNaN: true }),
      fc.constantFrom([0, 0], [1, 0], [0, 1], [0.5, 0], [0, 2]),
    );
    const rows = fc.array(fc.array(entry, { minLength: 5, maxLength: 5 }), {
      minLength: 3,
      maxLength: 3,
    });
    await fc.assert(
      fc.asyncProperty(rows, fc.constantFrom(0.07, 0.2, 1), async (table, temperature) => {
        const similarity = table.map((row) => row.map(([s]) => s));
        const positive = table.map((row) => row.map(([, [w]]) => w));
        const negative = table.map((row) => row.map(([, [, w]]) => w));
        const got = numbers(await run(similarity, positive, negative, temperature));
        const want = byLoops(similarity, positive, negative, temperature);
        got.forEach((value, i) => expect(value).toBeCloseTo(want[i], 6));
      }),
      { seed: 5, numRuns: 12 },
    );
  });

  test("stays finite at a temperature where e^(s/τ) leaves float32", async () => {
    const one = float32([1, 2], [-1, 1]);
    const pairs = { positive: float32([1, 2], [1, 0]), negative: float32([1, 2], [0, 1]) };
    const value = await evaluate(
      (s: np.Array, p: Pairs) => infoNce(s, p, { temperature: 0.005 }),
      one,
      pairs,
    );
    expect(numbers(value)[0]).toBeCloseTo(400, 2);
  });

  test("says which shape does not fit", async () => {
    await expect(
      evaluate(
        (s: np.Array) => infoNce(s, { positive: np.zeros([2, 3]), negative: np.zeros([2, 4]) }),
        float32([2, 3], [0, 0, 0, 0, 0, 0]),
      ),
    ).rejects.toThrow("infoNce: negative has shape [2, 4], expected [N, M] with N = 2, M = 3");
  });

  const present = cases.length > 0;
  test.skipIf(!present)(
    "gives losses and gradients of the NT-Xent cases (needs ../shared/golden)",
    async () => {
      const chosen = cases.filter(({ method }) => method === "ntXent");
      expect(chosen.length).toBeGreaterThan(5);
      for (const { params, inputs, expect: want, tolerance, id } of chosen) {
        const [n, d] = [inputs.view1.length, inputs.view1[0].length];
        const objective = ({ rows }: { rows: np.Array }): [np.Array, { each: np.Array }] => {
          const unit = l2Normalize(rows);
          const similarity = np.matmul(unit.ref, unit.transpose());
          const each = infoNce(similarity, pairsOfTwoViews(n), { temperature: params.temperature });
          return [each.ref.mean(), { each }];
        };
        const all = [...inputs.view1, ...inputs.view2].flat();
        const result = (await evaluate(
          (rows: np.Array) => {
            const { value, gradient, extra } = differentiate(objective)({ rows });
            return { value, slope: gradient.rows, each: extra.each };
          },
          float64([2 * n, d], all),
        )) as { value: never; slope: never; each: never };
        const near = (got: number, wanted: number, by: number) =>
          expect(Math.abs(got - wanted), id).toBeLessThanOrEqual(by);
        const { loss: lossTolerance } = tolerance;
        near(numbers(result.value)[0], want.loss, lossTolerance * Math.max(1, want.loss));
        numbers(result.each).forEach((value, i) =>
          near(value, want.perAnchor[i], lossTolerance * Math.max(1, want.perAnchor[i])),
        );
        if (want.gradients === undefined) continue;
        const slopes = [...want.gradients.view1, ...want.gradients.view2].flat();
        const scale = Math.max(0.1, ...slopes.map(Math.abs));
        numbers(result.slope).forEach((value, i) =>
          near(value, slopes[i], tolerance.gradient * scale),
        );
      }
    },
  );
});
