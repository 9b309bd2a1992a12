import { schedules, type Schedule } from "../../optim/index.ts";
import type { RunConfig } from "../../config/schema.ts";

type Plan = Pick<RunConfig, "epochs" | "earlierPlans">;

/** The epochs that a run was to have when it came to a step. */
export function epochsAt({ epochs, earlierPlans = [] }: Plan, step: number): number {
  return earlierPlans.find(({ untilStep }) => step < untilStep)?.epochs ?? epochs;
}

/** Share of a run that is done before a step, 0 to 1, by what was planned then. */
export const shareAt = (config: Plan, step: number, stepsPerEpoch: number): number =>
  step / (epochsAt(config, step) * stepsPerEpoch);

/** The learning rate of every step of a run: of a plan that was changed under way each step by its own. */
export function scheduleOf(config: RunConfig, stepsPerEpoch: number): Schedule {
  const { earlierPlans = [], schedule, learningRate, warmupEpochs } = config;
  const of = (epochs: number) =>
    schedules[schedule]({
      peak: learningRate,
      steps: epochs * stepsPerEpoch,
      warmupSteps: Math.round(warmupEpochs * stepsPerEpoch),
    });
  const last = of(config.epochs);
  const earlier = earlierPlans.map(({ epochs, untilStep }) => ({ untilStep, rate: of(epochs) }));
  return (step) => (earlier.find(({ untilStep }) => step < untilStep)?.rate ?? last)(step);
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
