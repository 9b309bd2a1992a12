import { numpy as np } from "@jax-js/jax";
import { describe, expect, test } from "vitest";
import type { z } from "zod";

import { evaluate, float32 } from "../testing/arrays.ts";
import { goldenCases, type GoldenCase, goldenPresent, type Rows } from "../../test/golden.ts";
import {
  expectAtMost,
  expectGolden,
  expectLoops,
  lossOf,
  randomTable,
  slopesOf,
  type Table,
  twoViews,
  twoViewTable,
} from "../../test/losses.ts";
import type { Pairs } from "../core/pairs.ts";
import { infoNce } from "./infoNce.ts";

type Options = z.output<typeof infoNce.options>;

const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);

/** The formulas as loops over anchors, positives and candidates. */
function byLoops({ similarity, positive, negative }: Table, options: Options): number[] {
  const { temperature, positives, denominator, epsilon } = options;
  return similarity.map((row, i) => {
    const e = row.map((s) => Math.exp(s / temperature));
    const others = sum(e.map((x, j) => negative[i][j] * x));
    const all = sum(e.map((x, j) => positive[i][j] * x));
    const weight = sum(positive[i]);
    if (weight === 0 || (denominator === "none" && others === 0)) return 0;
    const share = e.map((x) => x / (others + { all, own: x, none: 0 }[denominator]));
    const mean = (f: (p: number) => number) =>
      sum(share.map((p, j) => (positive[i][j] === 0 ? 0 : positive[i][j] * f(p)))) / weight;
    if (positives === "outside") return -mean(Math.log);
    const inside = mean((p) => p) * (positives === "inside" ? weight : 1);
    return -Math.log(inside + epsilon);
  });
}

/** One row. */
const row = (similarity: number[], positive: number[], negative: number[]): Table => ({
  similarity: [similarity],
  positive: [positive],
  negative: [negative],
});

const forms: Partial<Options>[] = [
  {},
  { denominator: "own" },
  { denominator: "none" },
  { positives: "inside" },
  { positives: "inside", epsilon: 0.01 },
  { positives: "inside", denominator: "none", epsilon: 1e-7 },
  { positives: "insideMean" },
  { positives: "insideMean", denominator: "own" },
  { positives: "insideMean", denominator: "none", epsilon: 0.1 },
];

describe("infoNce", () => {
  test("is the log of the number of candidates when all similarities are equal", async () => {
    const flat = row([0.3, 0.3, 0.3, 0.3], [1, 0, 0, 0], [0, 1, 1, 1]);
    expect((await lossOf(infoNce, flat, { temperature: 0.1 }))[0]).toBeCloseTo(Math.log(4), 12);
  });

  test("matches values worked out by hand", async () => {
    // one positive at 0.5, one negative at 0.1, τ = 0.2: log(1 + e^((0.1 − 0.5) / 0.2))
    const [value] = await lossOf(infoNce, row([0.5, 0.1], [1, 0], [0, 1]), { temperature: 0.2 });
    expect(value).toBeCloseTo(Math.log(1 + Math.exp(-2)), 12);
    // positives at 0 and ln 2, a negative at 0, τ = 1: shares 1/4 and 2/4 of all, 1/2 and 2/3 of their own
    const two = row([0, Math.log(2), 0], [1, 1, 0], [0, 0, 1]);
    const of = async (options: Partial<Options>) =>
      (await lossOf(infoNce, two, { temperature: 1, ...options }))[0];
    expect(await of({})).toBeCloseTo(-(Math.log(1 / 4) + Math.log(2 / 4)) / 2, 12);
    expect(await of({ denominator: "own" })).toBeCloseTo(-Math.log(1 / 3) / 2, 12);
    expect(await of({ denominator: "none" })).toBeCloseTo(-Math.log(2) / 2, 12);
    expect(await of({ positives: "inside" })).toBeCloseTo(-Math.log(3 / 4), 12);
    expect(await of({ positives: "insideMean" })).toBeCloseTo(-Math.log(3 / 8), 12);
    expect(await of({ positives: "insideMean", denominator: "own" })).toBeCloseTo(
      -Math.log(7 / 12),
      12,
    );
    expect(await of({ positives: "inside", epsilon: 0.25 })).toBeCloseTo(0, 12);
  });

  test.each(forms)("agrees with loops and central differences: %j", async (form) => {
    const options: Options = {
      temperature: 0.3,
      positives: "outside",
      denominator: "all",
      epsilon: 0,
      ...form,
    };
    await expectLoops(infoNce, (table) => byLoops(table, options), randomTable(5, 8, 6), options);
  });

  test("a negative of weight w is as if log w were added to its score, or as if it came w times", async () => {
    const t = 0.2;
    const [weighted, moved, thrice] = await Promise.all([
      lossOf(infoNce, row([0.5, 0.1], [1, 0], [0, 3]), { temperature: t }),
      lossOf(infoNce, row([0.5, 0.1 + t * Math.log(3)], [1, 0], [0, 1]), { temperature: t }),
      lossOf(infoNce, row([0.5, 0.1, 0.1, 0.1], [1, 0, 0, 0], [0, 1, 1, 1]), { temperature: t }),
    ]);
    expect(weighted[0]).toBeCloseTo(moved[0], 12);
    expect(weighted[0]).toBeCloseTo(thrice[0], 12);
  });

  test("one positive of weight 1 is the same in every form, the denominators apart", async () => {
    const table = twoViewTable(2, 4);
    const of = (options: Partial<Options>) => lossOf(infoNce, table, options);
    const plain = await of({});
    for (const form of [{ denominator: "own" }, { positives: "inside" }] as const) {
      (await of(form)).forEach((value, i) => expect(value).toBeCloseTo(plain[i], 12));
    }
    const none = await of({ denominator: "none" });
    none.forEach((value, i) => expect(Math.log1p(Math.exp(value))).toBeCloseTo(plain[i], 12));
  });

  test("inside the logarithm is never more than outside, and a smaller denominator never more than a larger", async () => {
    const table = randomTable(9, 8, 6);
    const of = (options: Partial<Options>) => lossOf(infoNce, table, options);
    const [outside, inside, sole] = [
      await of({}),
      await of({ positives: "insideMean" }),
      await of({ denominator: "none" }),
    ];
    expectAtMost(inside, outside);
    expectAtMost(sole.slice(2), outside.slice(2));
    expectAtMost(sole.slice(2), await of({ denominator: "own" }).then((own) => own.slice(2)));
  });

  test("anchors without negatives are finite, and 0 where nothing is left to tell apart", async () => {
    const one = row([0.4, -0.2], [1, 0], [0, 0]);
    for (const form of forms.filter(({ epsilon }) => epsilon === undefined)) {
      const { each, slopes } = await slopesOf(infoNce, one, form);
      expect(each).toEqual([expect.closeTo(0, 12)]);
      expect(slopes.flat()).toEqual([expect.closeTo(0, 12), expect.closeTo(0, 12)]);
    }
    const two = row([0.4, 0.4], [1, 1], [0, 0]);
    const of = async (options: Partial<Options>) => (await lossOf(infoNce, two, options))[0];
    expect(await of({})).toBeCloseTo(Math.log(2), 12);
    expect(await of({ denominator: "own" })).toBeCloseTo(0, 12);
    expect(await of({ denominator: "none" })).toBe(0);
    expect(await of({ positives: "inside" })).toBeCloseTo(0, 12);
  });

  test.each(["reference", "cpu"] as const)(
    "no pair at all is 0 without a slope, in every form (%s)",
    async (device) => {
      const empty = row([0.4, -0.2], [0, 0], [0, 0]);
      for (const form of forms) {
        const { each, slopes } = await slopesOf(infoNce, empty, form, device);
        expect([...each, ...slopes.flat()].map(Math.abs)).toEqual([0, 0, 0]);
      }
    },
  );

  test("stays finite at a temperature where e^(s/τ) leaves float32", async () => {
    const table = row([-1, 1], [1, 0], [0, 1]);
    for (const form of forms) {
      const { each, slopes } = await slopesOf(
        infoNce,
        table,
        { temperature: 0.005, ...form },
        "cpu",
      );
      // e^{−400} beside ε: the loss is −log ε and flat
      const want = form.epsilon === undefined ? 400 : -Math.log(form.epsilon);
      expect(each[0]).toBeCloseTo(want, 2);
      const slope = form.epsilon === undefined ? 200 : 0;
      expect(slopes[0][0]).toBeCloseTo(-slope, 2);
      expect(slopes[0][1]).toBeCloseTo(slope, 2);
    }
  });

  test("says which shape does not fit", async () => {
    await expect(
      evaluate(
        (s: np.Array) => infoNce(s, { positive: np.zeros([2, 3]), negative: np.zeros([2, 4]) }),
        float32([2, 3], [0, 0, 0, 0, 0, 0]),
      ),
    ).rejects.toThrow("infoNce: negative has shape [2, 4], expected [N, M] with N = 2, M = 3");
  });

  test("refuses forms that have no meaning", async () => {
    const table = row([0.5, 0.1], [1, 0], [0, 1]);
    await expect(
      lossOf(infoNce, table, { positives: "inside", denominator: "own" }),
    ).rejects.toThrow(
      'infoNce: positives is "inside" and denominator is "own", expected denominator "all" or "none"',
    );
    await expect(lossOf(infoNce, table, { epsilon: 1e-7 })).rejects.toThrow(
      'infoNce: epsilon is 1e-7 and positives is "outside", expected epsilon 0 or positives "inside" or "insideMean"',
    );
  });

  describe.skipIf(!goldenPresent)("reference cases (need ../shared/golden)", () => {
    type Case = GoldenCase<{ temperature: number; negatives: string; symmetric: boolean }>;
    const cases = [...goldenCases<Case>("ntXent"), ...goldenCases<Case>("infoNce")];

    test("are there", () => expect(cases.length).toBeGreaterThan(20));

    /** Query, key and queue stacked; in a batch the keys of the others are the negatives. */
    const queried = (inputs: Record<string, Rows>, symmetric: boolean) => {
      const n = inputs.query.length;
      return {
        names: inputs.queue ? ["query", "key", "queue"] : ["query", "key"],
        anchors: symmetric ? 2 * n : n,
        sides: (i: number, j: number) => {
          if (j === (i + n) % (2 * n)) return "positive";
          if (inputs.queue) return j >= 2 * n ? "negative" : undefined;
          return i < n === j < n ? undefined : "negative";
        },
      } as const;
    };

    test.each(cases.map((one) => [one.id, one] as const))("%s", async (_, one) => {
      const { temperature, symmetric } = one.params;
      const embedded =
        one.method === "ntXent"
          ? twoViews(one.inputs.view1.length)
          : queried(one.inputs, symmetric);
      await expectGolden(one, embedded, (s: np.Array, p: Pairs) => ({
        perAnchor: infoNce(s, p, { temperature }),
      }));
    });
  });
});
