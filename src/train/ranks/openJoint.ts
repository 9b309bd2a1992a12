import { availableParallelism } from "node:os";

import { ConfigError } from "../../core/errors.ts";
import type { Framework, HostState } from "../../frameworks/index.ts";
import type { Leader, Ranks } from "../../ranks/index.ts";
import type { AutomaticChoice, OpenConfig } from "../../config/automatic.ts";
import type { ConfigTree, RunConfig } from "../../config/schema.ts";
import type { TrainingData } from "../dataset.ts";
import { openStepper, type Stepper, type Target } from "../stepper.ts";
import { leadStepper } from "./leadStepper.ts";

type Chosen = { config: OpenConfig; choices: AutomaticChoice[] };

/** A config whose batches are taken in micro-batches where ranks share them. */
export function shareBatch({ config, choices }: Chosen, { size }: Ranks): Chosen {
  const { batchSize, microBatch } = config;
  if (size === 1 || microBatch !== undefined) return { config, choices };
  if (batchSize % size !== 0) {
    const near = size * Math.max(1, Math.round(batchSize / size));
    throw new ConfigError(
      `batchSize is ${batchSize}, expected a multiple of the ${size} ranks that share each batch`,
      `as in --batch-size ${near}; with --micro-batch any number of ranks shares its parts`,
    );
  }
  const reason = `a part of the batch for each of ${size} ranks; batch normalisation sees one part at a time`;
  const choice = { path: "microBatch", value: batchSize / size, reason };
  return { config: { ...config, microBatch: choice.value }, choices: [...choices, choice] };
}

/** Threads of a process that shares its machine with other ranks: cores over ranks, unless said otherwise. */
export function withThreads(tree: ConfigTree, { local }: Ranks): ConfigTree {
  if (local === 1) return tree;
  const cores = Math.max(1, Math.floor(availableParallelism() / local));
  return { threads: cores, workers: Math.max(1, cores - 1), ...tree };
}

type Joint = {
  framework: Framework;
  state: HostState;
  config: OpenConfig | RunConfig;
  data: TrainingData;
  target: Target;
};

/** Compiles a run's step, on other ranks too where there are some: in the ways to compute that rank 0 chose. */
export async function openJoint(leader: Leader, exists: boolean, joint: Joint): Promise<Stepper> {
  const { framework, state, config, data, target } = joint;
  const stepper = await openStepper(framework, state, config, target, leader.ranks);
  const tune = target.tune === false ? false : stepper.choices();
  try {
    return await leadStepper(leader, { config, exists, tune }, stepper, data);
  } catch (error) {
    await stepper.dispose();
    throw error;
  }
}
