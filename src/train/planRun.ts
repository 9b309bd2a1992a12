import { closeConfig, openConfig } from "../config/automatic.ts";
import { checkLabels, goesByLabels } from "./checks/checkLabels.ts";
import { checkMemory } from "./checks/checkMemory.ts";
import type { ConfigTree, RunConfig } from "../config/schema.ts";
import { checkCrops } from "./crops/cropRefresh.ts";
import { factsOf, type TrainingData } from "./dataset.ts";
import { configHash, decisivePart } from "../config/decisive.ts";
import { frameworkOf } from "./session.ts";
import type { Start } from "../config/start.ts";

/** Views of an image that a step encodes, with gradient and without. */
export type Passes = { readonly gradient: number; readonly forward: number };

/** What a config comes to on its images, known without training. */
export type RunPlan = {
  readonly config: RunConfig;
  readonly passes: Passes;
  readonly stepsPerEpoch: number;
  /** Whether pairs are chosen by the labels of the images. */
  readonly usesLabels: boolean;
  /** The part that decides what the weights become, with the fingerprint of the images. */
  readonly decisive: ConfigTree;
  /** Equal for equal decisive parts. */
  readonly hash: string;
};

/**
 * Chooses what a config leaves open as `train` would, without compiling or training anything; 100 epochs
 * where they are left open. Throws `ConfigError` where `train` would refuse the config.
 *
 * @param start the pretrained encoder that `from` names, opened
 */
export function planRun(tree: ConfigTree, data: TrainingData, start?: Start): RunPlan {
  const { config: open } = openConfig(tree, factsOf(data, start));
  checkLabels(open.samplers, data);
  const framework = frameworkOf(open, data.count, start);
  checkMemory(framework, open);
  const views = { ...open.views, count: framework.viewCount };
  checkCrops(views, framework.encoder, data);
  const { config } = closeConfig({ ...open, views }, open.epochs ?? 100);
  const { queryViews, viewCount } = framework;
  const decisive = decisivePart(config, data.fingerprint);
  return {
    config,
    decisive,
    hash: configHash(decisive),
    passes: { gradient: queryViews, forward: viewCount - queryViews },
    stepsPerEpoch: Math.floor(data.count / config.batchSize),
    usesLabels: goesByLabels(config.samplers),
  };
}
