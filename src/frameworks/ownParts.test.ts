import { numpy as np } from "@jax-js/jax";
import { expect, test } from "vitest";
import { z } from "zod";

import { someBatch, stepper, tinyFramework } from "../../test/tinyFramework.ts";
import { refPairs } from "../core/pairs.ts";
import { defineLoss, infoNce } from "../losses/index.ts";
import { defineSampler } from "../sampling/index.ts";

const twice = defineLoss({
  name: "twice",
  summary: "Another loss, times a factor.",
  source: "this test",
  options: z.strictObject({ factor: z.number().default(2).describe("times the loss") }),
  perAnchor: (similarity, pairs, { factor }) =>
    infoNce(similarity, pairs, { temperature: 0.2 }).mul(factor),
});

const nothing = defineSampler({
  name: "nothing",
  summary: "Leaves no negatives.",
  source: "this test",
  options: z.strictObject({}),
  reasons: { dropped: "dropped" },
  apply: (_scene, pairs) => {
    const { positive, negative } = refPairs(pairs);
    return { positive, negative: np.zerosLike(negative) };
  },
});

async function lossOf(config: Parameters<typeof tinyFramework>[0]) {
  const framework = tinyFramework(config);
  const run = await stepper(framework);
  return (await run(framework.init(), someBatch(framework, 1))).metrics.loss;
}

test("a loss and a sampler of one's own are used, with their options and defaults", async () => {
  const plain = await lossOf({ loss: { name: "infoNce", temperature: 0.2 } });
  expect(await lossOf({ loss: twice })).toBeCloseTo(2 * plain, 5);
  expect(await lossOf({ loss: { name: twice, factor: 3 } })).toBeCloseTo(3 * plain, 5);
  expect(await lossOf({ loss: twice, samplers: [nothing] })).toBeCloseTo(0, 6);
});

test("what is no part, or another kind of part, is refused by name and never ignored", () => {
  const build = (config: object) => () => tinyFramework(config);
  expect(build({ loss: () => 1 })).toThrow(
    /loss: expected a name, one of infoNce, .*, or what defineLoss gives, not a function/,
  );
  expect(build({ loss: nothing })).toThrow(/or what defineLoss gives, not nothing, a sampler/);
  expect(build({ samplers: [twice] })).toThrow(/samplers.0: .* not twice, a loss/);
  expect(build({ loss: { name: twice, facter: 3 } })).toThrow(
    /facter is not an option of twice, did you mean factor\?/,
  );
});
