import { expect, test } from "vitest";

import type { PlannedArm } from "../../../compare/index.ts";
import { epochsIn, unevenBudget } from "./speed.ts";

const arm = (name: string) => ({ name, plan: { hash: name } }) as unknown as PlannedArm;

test("whole epochs fit into a budget, and it is told where they leave arms with other times", () => {
  const [arms, seconds] = [[arm("plain"), arm("slow")], { plain: 10, slow: 40 }];
  const epochs = (budget: number) =>
    arms.map(({ name }) => epochsIn(budget, seconds[name as "slow"], name));
  expect(epochs(79)).toEqual([7, 1]);
  expect(unevenBudget(arms, epochs(79), seconds)).toContain("slow 40 s, plain 70 s");
  expect(unevenBudget(arms, epochs(405), seconds)).toBeUndefined();
  expect(() => epochsIn(39, 40, "slow")).toThrow("more than the budget");
});
