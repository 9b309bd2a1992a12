import { adamw } from "./adamw.ts";
import { lars } from "./lars.ts";
import { sgd } from "./sgd.ts";

export type {
  Optimiser,
  OptimiserDefinition,
  OptimiserEntry,
  OptimiserState,
  ParameterSpecs,
  Update,
} from "./optimiser.ts";
export { averageRecords, defineOptimiser } from "./optimiser.ts";
export type { Schedule, ScheduleOptions } from "./schedules.ts";
export { constant, ScheduleName, schedules, warmupCosine } from "./schedules.ts";
export { adamw, lars, sgd };

/** Every optimiser, by the name used in configs, on the command line and in the docs. */
export const optimisers = { sgd, lars, adamw };
