import { ConfigError } from "../core/errors.ts";
import { type Sampler, samplers } from "../sampling/index.ts";
import type { RunConfig } from "./config.ts";
import type { TrainingData } from "./dataset.ts";

/** Refuses samplers that go by labels where the images have none. */
export function checkLabels(chain: RunConfig["samplers"], { labels }: TrainingData): void {
  const catalogue = samplers as unknown as Record<string, Sampler>;
  const asking = chain.find(({ name }) => catalogue[name].needs.includes("labels"));
  if (asking === undefined || labels !== undefined) return;
  throw new ConfigError(
    `samplers: ${asking.name} needs labels, the images have none`,
    "give images in a folder for each class, or choose a method without labels",
  );
}
