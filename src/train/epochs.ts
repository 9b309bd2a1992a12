import { schedules, type Schedule } from "../optim/index.ts";
import type { RunConfig } from "./config.ts";

/** The learning rate of every step of a run. */
export function scheduleOf(config: RunConfig, stepsPerEpoch: number): Schedule {
  return schedules[config.schedule]({
    peak: config.learningRate,
    steps: config.epochs * stepsPerEpoch,
    warmupSteps: Math.round(config.warmupEpochs * stepsPerEpoch),
  });
}

/** A mean that follows its input over about `span` values; for display only. */
export function smoothed(span: number): (value: number) => number {
  let [total, weight] = [0, 0];
  return (value) => {
    total = total * (1 - 1 / span) + value;
    weight = weight * (1 - 1 / span) + 1;
    return total / weight;
  };
}
