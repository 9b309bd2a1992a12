import { falseNegatives } from "./falseNegatives.ts";
import { gloFnd } from "./gloFnd.ts";
import { groupPositives } from "./groupPositives.ts";
import { groups } from "./groups.ts";
import { hardest } from "./hardest.ts";
import { labels } from "./labels.ts";
import type { Mixer } from "./mixer.ts";
import { mochi } from "./mochi.ts";
import { nearest } from "./nearest.ts";
import { oracle } from "./oracle.ts";
import { propagate } from "./propagate.ts";
import { random } from "./random.ts";
import { ring } from "./ring.ts";
import type { Sampler } from "./sampler.ts";
import { sortViews } from "./sortViews/sortViews.ts";
import { synco } from "./synco.ts";

export { defineMixer, type Mixed, type Mixer, type MixerScene, type Parents } from "./mixer.ts";
export { falseNegativeMask, supportScores } from "./falseNegatives.ts";
export { mochiRows } from "./mochi.ts";
export {
  type At,
  defineSampler,
  type Need,
  type Sampled,
  type Sampler,
  type Scene,
  type Sizes,
  type StepInputs,
} from "./sampler.ts";
export { findPositives } from "./propagate.ts";
export { SortViewsOptions } from "./sortViews/sortViewsOptions.ts";
export { ownViewValues } from "./sortViews/ownViewValues.ts";
export { readViews } from "./sortViews/readViews.ts";

/** Every sampler, by the name used in configs, on the command line and in the docs. */
export const samplers = {
  groups,
  groupPositives,
  ring,
  hardest,
  random,
  labels,
  oracle,
  nearest,
  falseNegatives,
  gloFnd,
  propagate,
  sortViews,
} satisfies Record<string, Sampler>;

/** Every mixer, by the name used in configs, on the command line and in the docs. */
export const mixers = { mochi, synco } satisfies Record<string, Mixer>;
