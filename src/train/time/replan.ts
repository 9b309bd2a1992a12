import { ConfigError } from "../../core/errors.ts";
import { epochsFor } from "../../config/automatic.ts";
import type { ConfigTree, EarlierPlan, RunConfig } from "../../config/schema.ts";
import { scheduleOf } from "./epochs.ts";
import type { TrainListener } from "../events.ts";
import type { Position } from "../run/position.ts";

type At = Pick<Position, "step" | "elapsedSeconds"> | undefined; // undefined before the first checkpoint

/** Epochs of which training as fast as so far takes so many minutes, from the start of the run. */
function epochsWithin(minutes: number, at: At, stepsPerEpoch: number): number {
  if (at === undefined || at.step === 0) {
    throw new ConfigError(
      "resume: minutes cannot be planned before the run has a checkpoint",
      "give --epochs",
    );
  }
  if (60 * minutes <= at.elapsedSeconds) {
    throw new ConfigError(
      `resume: minutes is ${minutes}, but the run has trained for ${(at.elapsedSeconds / 60).toFixed(1)} already`,
      "minutes are those of the whole run, from its start",
    );
  }
  return epochsFor(minutes, (at.elapsedSeconds * stepsPerEpoch) / at.step, true);
}

function checkEpochs({ warmupEpochs }: RunConfig, epochs: number, done: number): void {
  if (epochs < done) {
    throw new ConfigError(
      `resume: epochs is ${epochs}, but ${Number(done.toFixed(2))} epochs of the run are done`,
      "epochs are those of the whole run, from its start",
    );
  }
  if (epochs < warmupEpochs) {
    throw new ConfigError(`resume: epochs is ${epochs}, below the warm-up of ${warmupEpochs}`);
  }
}

/** What was planned before a step, and what holds at it. */
function plansUntil(config: RunConfig, step: number): EarlierPlan[] {
  const { earlierPlans = [], epochs, threads } = config;
  const before = earlierPlans.filter(({ untilStep }) => untilStep <= step);
  const now = earlierPlans.find(({ untilStep }) => untilStep > step) ?? { epochs, threads };
  if (step === 0 || before.at(-1)?.untilStep === step) return before;
  return [...before, { untilStep: step, epochs: now.epochs, threads: now.threads }];
}

/** What another plan means, in lines for the terminal. */
function describe(before: RunConfig, now: RunConfig, step: number, perEpoch: number) {
  const from = `from step ${step} on`;
  const rate = scheduleOf(now, perEpoch)(step).toPrecision(3);
  const epochs = `plan       ${now.epochs} epochs ${from}, ${before.epochs} before: the learning rate follows the schedule of ${now.epochs} epochs, ${rate} there`;
  const threads = `plan       ${now.threads} threads ${from}, ${before.threads} before: the same up to rounding, not bit for bit what ${before.threads} would have given`;
  return [
    ...(now.epochs === before.epochs ? [] : [epochs]),
    ...(now.threads === before.threads ? [] : [threads]),
  ];
}

/**
 * A run's config with other epochs or threads from the step of a checkpoint on. What held before is kept in
 * `earlierPlans`, so that a run that is stopped after that goes on as if it had not been.
 */
export function replanned(
  config: RunConfig,
  given: ConfigTree,
  { at, perEpoch, listener }: { at: At; perEpoch: number; listener: TrainListener },
): RunConfig {
  const asked = given as Partial<Record<"epochs" | "minutes" | "threads", number>>;
  const { threads = config.threads } = asked;
  const minutes = asked.epochs === undefined ? asked.minutes : undefined;
  const fitting = minutes === undefined ? config.epochs : epochsWithin(minutes, at, perEpoch);
  const { epochs = fitting } = asked;
  const kept = asked.epochs === undefined ? config.minutes : undefined;
  const timed = { ...config, minutes: minutes ?? kept };
  if (epochs === config.epochs && threads === config.threads) return timed;
  const step = at?.step ?? 0;
  checkEpochs(config, epochs, step / perEpoch);
  const now = { ...timed, epochs, threads, earlierPlans: plansUntil(config, step) };
  for (const text of describe(config, now, step, perEpoch)) listener({ kind: "note", text });
  return now;
}

/** A run's config with fewer epochs, from a step on that comes after all that has changed before. */
export const shortened = <T extends RunConfig>(config: T, epochs: number, step: number): T => ({
  ...config,
  epochs,
  earlierPlans: plansUntil(config, step),
});
