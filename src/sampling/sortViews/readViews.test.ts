import { describe, expect, test } from "vitest";

import { goldenCases, goldenPresent } from "../../../test/golden.ts";
import { viewTriage } from "../../../test/reference/viewTriage.ts";
import { sampledLoss } from "../../../test/sampledLoss.ts";
import {
  type Case,
  checkReading,
  defaults,
  optionsOf,
  type Params,
  randomCase,
  randomViews,
  viewSetting,
} from "../../../test/viewCases.ts";
import { sortViews } from "./sortViews.ts";

describe("the own views as read and sorted", () => {
  test("agrees with loops on random views", async () => {
    const choices = [{ quantile: 0.8 }, { minKeep: 2, maxDemoted: 3 }, { budget: 0.2 }];
    for (const [seed, params] of choices.entries()) {
      const one = randomCase(seed, params);
      await checkReading(one, one.id);
    }
    await checkReading(
      randomCase(5, { mode: "soft", softCentre: 0.8, softTemperature: 0.1 }),
      "soft",
    );
  });

  test("keeps the nearest view of every image and stays within the budget", async () => {
    for (const [seed, budget] of [1, 0.3, 0.14].entries()) {
      const params: Partial<Params> = { quantile: 1, maxDemoted: 9, budget };
      const views = randomViews(30 + seed, 4, 5);
      const { demoted, scores } = viewTriage(
        { ...defaults, ...params },
        { views },
      ) as Case["expect"];
      const options = optionsOf({ ...defaults, ...params });
      const setting = viewSetting({ views }, options);
      const { terms } = await sampledLoss(sortViews, options, {}, setting);
      const gone = setting.pairs.positive.map((row, b) =>
        [1, 2, 3].map((v) => row[v * 5 + b] - terms[0].positive[b][v * 5 + b]),
      );
      expect(gone).toEqual(demoted);
      expect(gone.flat().reduce((sum, on) => sum + on, 0)).toBeLessThanOrEqual(budget * 15);
      gone.forEach((row, b) => expect(row[scores[b].indexOf(Math.max(...scores[b]))]).toBe(0));
    }
  });
});

describe.skipIf(!goldenPresent)("own views on the cases (needs ../shared/golden)", () => {
  test("gives scores, percentiles, thresholds, demotions and weights", async () => {
    const cases = goldenCases<Case>("viewTriage");
    const some = cases.filter(
      ({ id, params }) => /random|budget/.test(id) || params.mode === "soft",
    );
    expect(some.length).toBeGreaterThan(15);
    for (const one of some) await checkReading(one, one.id);
  });
});
