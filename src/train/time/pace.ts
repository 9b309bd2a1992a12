import type { RunConfig } from "../../config/schema.ts";
import type { Position } from "../run/position.ts";

/** How many times as long as planned a run may take before its plan changes. */
export const LATE = 1.15;
const LOOKS = 10; // at a run's pace, over its time
const SETTING_UP = 2; // steps of a sitting that are slow once

/** `50 s`, `27 minutes`. */
export const spoken = (seconds: number): string =>
  seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} minutes`;

/** A run that turned out slower than its plan. Times are seconds from now to its end. */
export type Slower = {
  readonly epochs: number; // that keep to its time, as far as that goes
  readonly left: number; // of the plan as it is
  readonly kept: number; // of these epochs
};

type At = Pick<Position, "step" | "elapsedSeconds">;
type Plan = Pick<RunConfig, "epochs" | "warmupEpochs" | "earlierPlans">;

/**
 * Measures a run again while it goes on, each tenth of its time, by what its steps took with their views, evaluations
 * and checkpoints. Call it before each step. What it says where the end has moved by more than `LATE` is of this
 * machine at this moment; so it says nothing of steps before a change of plan that was written down.
 *
 * @param minutes that training may take, over all sittings
 */
export function followPace(minutes: number, stepsPerEpoch: number) {
  const time = 60 * minutes;
  let first: number | undefined; // step of this sitting
  let start: At | undefined;
  let [looked, told] = [0, time];
  return ({ step, elapsedSeconds }: At, plan: Plan): Slower | undefined => {
    const { epochs, warmupEpochs, earlierPlans = [] } = plan;
    first ??= step;
    if (start === undefined) {
      if (step >= first + SETTING_UP) start = { step, elapsedSeconds };
      looked = elapsedSeconds;
      return undefined;
    }
    const isSettled = step <= (earlierPlans.at(-1)?.untilStep ?? 0);
    if (isSettled || elapsedSeconds < looked + time / LOOKS) return undefined;
    looked = elapsedSeconds;
    const pace = (elapsedSeconds - start.elapsedSeconds) / (step - start.step);
    const leftOf = (planned: number) => pace * (planned * stepsPerEpoch - step);
    const left = leftOf(epochs);
    if (elapsedSeconds + left <= LATE * told) return undefined;
    const fitting = Math.floor((step + (time - elapsedSeconds) / pace) / stepsPerEpoch);
    const least = Math.max(Math.floor(step / stepsPerEpoch) + 1, Math.ceil(warmupEpochs));
    const fewer = Math.min(epochs, Math.max(least, fitting));
    told = Math.max(time, elapsedSeconds + leftOf(fewer));
    return { epochs: fewer, left, kept: leftOf(fewer) };
  };
}
