import { describe, expect, test } from "vitest";

import { expectNear, goldenCases, goldenPresent } from "../../../test/golden.ts";
import {
  type Case,
  checkLoss,
  lossesOf,
  type Params,
  randomCase,
  randomViews,
} from "../../../test/viewCases.ts";

const modes = ["drop", "ranked", "negative"] as const;
const noisy = randomViews(20, 4, 5, [
  [1, 0],
  [2, 3],
]);

describe("viewTerms", () => {
  test("agrees with loops on random views, in value and gradient", async () => {
    const choices: Partial<Params>[] = [
      { mode: "drop", quantile: 0.8 },
      { mode: "negative", minKeep: 2, maxDemoted: 3 },
      { mode: "ranked", budget: 0.2 },
      { mode: "soft", softCentre: 0.8, softTemperature: 0.1 },
      { mode: "ranked", allPositivesInDenominator: true },
      { mode: "keep" },
    ];
    for (const [seed, params] of choices.entries()) {
      const one = randomCase(seed, params);
      await checkLoss(one, "reference", one.tolerance);
    }
  });

  test("without anything to demote every hard mode is keep", async () => {
    const keep = await lossesOf(noisy, { mode: "keep" });
    for (const mode of modes) {
      expect(await lossesOf(noisy, { mode }), mode).not.toEqual(keep);
    }
    expectNear(await lossesOf(noisy, { mode: "ranked", maxDemoted: 0 }), keep, 1e-12, "bound");
    expectNear(await lossesOf(noisy, { mode: "negative", budget: 0 }), keep, 1e-12, "budget");
    const clean = randomViews(20, 4, 5); // no view is less similar than all negatives
    const kept = await lossesOf(clean, { mode: "keep" });
    expectNear(await lossesOf(clean, { mode: "drop", quantile: 0 }), kept, 1e-12, "quantile");
  });

  test("negative is drop at weight 0, and no less at weight 1", async () => {
    const drop = await lossesOf(noisy, { mode: "drop" });
    const none = await lossesOf(noisy, { mode: "negative", alpha: 0 });
    expectNear(none, drop, 1e-12, "alpha 0");
    const full = await lossesOf(noisy, { mode: "negative", alpha: 1 });
    full.forEach((value, i) => expect(value).toBeGreaterThanOrEqual(drop[i] - 1e-12));
    expect(full[0]).toBeGreaterThan(drop[0]);
  });

  test("turning all embeddings changes nothing", async () => {
    const turned = noisy.map((rows) =>
      rows.map(([a, b, ...rest]) => [0.6 * a - 0.8 * b, 0.8 * a + 0.6 * b, ...rest]),
    );
    const before = await lossesOf(noisy, { mode: "ranked" });
    expectNear(await lossesOf(turned, { mode: "ranked" }), before, 1e-12, "turned");
  });
});

describe.skipIf(!goldenPresent)("viewTerms on the cases (needs ../shared/golden)", () => {
  const cases = goldenCases<Case>("viewTriage");

  test("gives losses and gradients in float64", async () => {
    expect(cases.length).toBeGreaterThan(50);
    for (const one of cases) await checkLoss(one, "reference", { loss: 1e-9, gradient: 1e-9 });
  });

  test("gives them in float32 on ONNX Runtime", async () => {
    const some = cases.filter(({ id }) => id.includes("random"));
    for (const one of some) await checkLoss(one, "cpu", one.tolerance);
  });
});
