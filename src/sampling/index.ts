import type { Mixer } from "./mixer.ts";
import type { Sampler } from "./sampler.ts";

export { defineMixer, type Mixed, type Mixer, type MixerScene } from "./mixer.ts";
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

/** Every sampler, by the name used in configs, on the command line and in the docs. */
export const samplers = {} satisfies Record<string, Sampler>;

/** Every mixer, by the name used in configs, on the command line and in the docs. */
export const mixers = {} satisfies Record<string, Mixer>;
