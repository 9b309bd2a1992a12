import { z } from "zod";

import { ConfigError } from "../core/errors.ts";

/** Learning rate of every step: peak, total and warm-up steps, and the last value as a share of the peak. */
export type ScheduleOptions = {
  peak: number;
  steps: number;
  warmupSteps?: number;
  final?: number;
};

/** A function of the step, counted from 0, to a learning rate. */
export type Schedule = (step: number) => number;

function checked({ steps, warmupSteps = 0, final = 0, peak }: ScheduleOptions) {
  if (!(steps > 0) || warmupSteps < 0 || warmupSteps > steps) {
    throw new ConfigError(
      `schedule: ${warmupSteps} warm-up steps do not fit into ${steps} steps`,
      "lower the warm-up or train longer",
    );
  }
  return { steps, warmupSteps, final, peak };
}

/** Linear from peak / warmupSteps to the peak, then half a cosine down to `final` · peak at the last step. */
export function warmupCosine(options: ScheduleOptions): Schedule {
  const { peak, steps, warmupSteps, final } = checked(options);
  const span = Math.max(1, steps - warmupSteps);
  return (step) => {
    if (step < warmupSteps) return (peak * (step + 1)) / warmupSteps;
    const progress = Math.min(1, (step - warmupSteps) / span);
    return peak * (final + ((1 - final) * (1 + Math.cos(Math.PI * progress))) / 2);
  };
}

/** Linear warm-up, then the peak for ever. */
export function constant(options: ScheduleOptions): Schedule {
  const { peak, warmupSteps } = checked(options);
  return (step) => (step < warmupSteps ? (peak * (step + 1)) / warmupSteps : peak);
}

/** Every schedule by name. */
export const schedules = { warmupCosine, constant };

/** Config of a schedule's shape. */
export const ScheduleName = z
  .enum(["warmupCosine", "constant"])
  .default("warmupCosine")
  .describe("how the learning rate changes over the run");
