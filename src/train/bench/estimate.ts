import { flattenTree } from "../../core/arrays.ts";
import { asHostTree } from "../../frameworks/index.ts";
import { closeConfig, epochsFor, openConfig } from "../../config/automatic.ts";
import { checkMemory } from "../checks/checkMemory.ts";
import type { ConfigTree, RunConfig } from "../../config/schema.ts";
import { factsOf, type TrainingData } from "../dataset.ts";
import { measureStep } from "../prepare.ts";
import { frameworkOf } from "../session.ts";
import type { Start } from "../../config/start.ts";
import { openStepper, targetOf } from "../stepper.ts";

/** What a run would cost on this machine. */
export type CostEstimate = {
  readonly secondsPerStep: number;
  readonly stepsPerEpoch: number;
  readonly seconds: number; // of the whole run, without measurements between epochs
  readonly memoryMiB: number; // of this process after a step, with its state and activations
  readonly stateMiB: number; // of a checkpoint
};

/**
 * Chooses what a config leaves open and, where `timed`, times a few steps of it.
 *
 * @param start the pretrained encoder that `from` names, opened
 */
export async function estimateCost(
  tree: ConfigTree,
  data: TrainingData,
  timed: boolean,
  start?: Start,
): Promise<{ config: RunConfig; estimate: CostEstimate | undefined }> {
  const { config: open } = openConfig(tree, factsOf(data, start));
  const framework = frameworkOf(open, data.count, start);
  checkMemory(framework, open);
  const config = { ...open, views: { ...open.views, count: framework.viewCount } };
  if (!timed)
    return { config: closeConfig(config, open.epochs ?? 100).config, estimate: undefined };
  const state = framework.init();
  const stepper = await openStepper(framework, state, config, targetOf(config));
  try {
    const secondsPerStep = await measureStep(stepper, framework, state);
    const stepsPerEpoch = Math.floor(data.count / config.batchSize);
    const epochs =
      open.epochs ??
      epochsFor(config.minutes, secondsPerStep * stepsPerEpoch, tree.minutes !== undefined);
    const bytes = flattenTree(asHostTree(state)).reduce(
      (sum, [, { data: array }]) => sum + array.byteLength,
      0,
    );
    return {
      config: closeConfig(config, epochs).config,
      estimate: {
        secondsPerStep,
        stepsPerEpoch,
        seconds: secondsPerStep * stepsPerEpoch * epochs,
        memoryMiB: Math.round(process.memoryUsage.rss() / 2 ** 20),
        stateMiB: Number((bytes / 2 ** 20).toFixed(1)),
      },
    };
  } finally {
    await stepper.dispose();
  }
}
