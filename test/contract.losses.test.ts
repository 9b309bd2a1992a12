import { readdirSync } from "node:fs";

import { lax } from "@jax-js/jax";
import { describe, expect, test } from "vitest";
import { z } from "zod";

import { weightedMean } from "../src/core/numerics.ts";
import { defineLoss, type LossDefinition, losses } from "../src/losses/index.ts";
import { checkPart } from "../src/testing/index.ts";

test("the catalogue lists every loss under the name of its file", () => {
  const files = readdirSync(new URL("../src/losses/", import.meta.url));
  const apart = ["index", "loss", "instanceNce", "reweighted"]; // not of similarities and pairs alone
  const named = files
    .filter((file) => !file.includes(".test."))
    .map((file) => file.replace(".ts", ""))
    .filter((name) => !apart.includes(name));
  expect(Object.keys(losses).sort()).toEqual(named.sort());
});

/** Options without weights that are constants for the gradient, which central differences do not see. */
const differentiable: Record<string, Record<string, unknown>> = { adnce: { detachWeights: false } };

test.each(Object.entries(losses))("every loss keeps the contract: %s", async (name, loss) => {
  expect(loss.name).toBe(name);
  expect(loss.source).toMatch(/\d{4}/);
  expect(await checkPart(loss, differentiable[name])).toEqual([]);
});

describe("a loss that breaks the contract is told how", () => {
  type PerAnchor = LossDefinition<z.ZodObject>["perAnchor"];
  const mean: PerAnchor = (s, { positive, negative }) => {
    negative.dispose();
    return weightedMean(s, positive).mul(-1);
  };
  let calls = 0;
  const broken: Record<string, [RegExp, Partial<LossDefinition<z.ZodObject>>]> = {
    "a gradient of its own": [
      /the gradient is not what central differences give/,
      { perAnchor: (s, pairs) => mean(lax.stopGradient(s), pairs, {}) },
    ],
    "a number without positives": [
      /to an anchor without positives, expected 0/,
      { perAnchor: (s, pairs) => mean(s, pairs, {}).add(1) },
    ],
    "one number for all": [
      /gives 1 numbers, expected one for each of the 4 anchors/,
      { perAnchor: (s, pairs) => mean(s, pairs, {}).sum().reshape([1]) },
    ],
    "anchors that look at each other": [
      /the order of the anchors changes more/,
      {
        perAnchor: (s, pairs) => {
          const each = mean(s, pairs, {});
          return each.ref.mul(each.ref.slice([0, 1]).add(2));
        },
      },
    ],
    "a scalar that is not declared": [
      /measures other scalars/,
      { measure: (s) => ({ odd: s.mean() }) },
    ],
    "another result each time": [
      /the same arguments do not give the same/,
      { perAnchor: (s, pairs) => mean(s, pairs, {}).mul(++calls) },
    ],
    "an option without a word": [
      /the option size has no description/,
      { options: z.strictObject({ size: z.number().default(1) }) },
    ],
  };
  test.each(Object.entries(broken))("%s", async (_, [what, more]) => {
    const about = { name: "broken", summary: "Broken.", source: "this test, 2026" };
    const loss = defineLoss({
      ...about,
      options: z.strictObject({}),
      perAnchor: mean,
      ...more,
    });
    expect((await checkPart(loss)).join("\n")).toMatch(what);
  });
});
