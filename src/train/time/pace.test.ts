import { expect, test } from "vitest";

import { followPace } from "./pace.ts";

const plan = { epochs: 10, warmupEpochs: 1 };

/** What is said before steps that come to so many seconds in all, from the first on. */
const follow = (minutes: number, stepsPerEpoch: number) => {
  const pace = followPace(minutes, stepsPerEpoch);
  const said = (
    at: [step: number, elapsedSeconds: number],
    now: Parameters<typeof pace>[1] = plan,
  ) => pace({ step: at[0], elapsedSeconds: at[1] }, now);
  said([0, 0]);
  said([2, 9]); // programs are compiled in the first steps: no measure of a run
  return said;
};

test("a run in time says nothing, whatever its first steps took", () => {
  const said = follow(2, 10);
  for (let step = 3; step < 100; step++) expect(said([step, 9 + 1.2 * (step - 2)])).toBeUndefined();
});

test("a run that is slower gets the epochs that keep to its time, within it as far as that goes", () => {
  const said = follow(2, 10);
  expect(said([4, 15])).toBeUndefined(); // no tenth of the time has passed
  expect(said([7, 24])).toEqual({ epochs: 3, left: 279, kept: 69 }); // 3 s a step
  const now = { ...plan, epochs: 3, earlierPlans: [{ untilStep: 7, epochs: 10, threads: 1 }] };
  expect(said([12, 39], now)).toBeUndefined();
  expect(said([19, 239], now)).toMatchObject({ epochs: 2 }); // the epoch under way is done
});

test("a plan that cannot be shorter says its new end once for each time that it moves", () => {
  const said = follow(2, 100);
  const one = { ...plan, epochs: 1 };
  expect(said([12, 109], one)).toEqual({ epochs: 1, left: 880, kept: 880 });
  expect(said([22, 209], one)).toBeUndefined();
  expect(said([32, 909], one)).toMatchObject({ epochs: 1, left: 2040 });
});

test("nothing is measured again of steps before a change that was written down, nor below the warm-up", () => {
  const said = follow(2, 10);
  const replayed = { ...plan, earlierPlans: [{ untilStep: 20, epochs: 40, threads: 1 }] };
  expect(said([20, 100], replayed)).toBeUndefined();
  expect(said([21, 105], { ...replayed, warmupEpochs: 4.5 })).toMatchObject({ epochs: 5 });
});
