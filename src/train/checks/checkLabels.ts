import { ConfigError } from "../../core/errors.ts";
import { samplerNamed } from "../../frameworks/index.ts";
import type { RunConfig } from "../../config/schema.ts";
import type { TrainingData } from "../dataset.ts";

type Chain = RunConfig["samplers"];

const needsLabels = ({ name }: Chain[number]): boolean =>
  samplerNamed(name)?.needs.includes("labels") === true;

/** Whether a chain chooses pairs by the labels of the training images. */
export const goesByLabels = (chain: Chain): boolean =>
  chain.some(({ name, ...options }) => samplerNamed(name)?.usesLabels(options) === true);

/** Refuses samplers that go by labels where the images have none. */
export function checkLabels(chain: Chain, { labels }: TrainingData): void {
  const asking = chain.find(needsLabels);
  if (asking === undefined || labels !== undefined) return;
  throw new ConfigError(
    `samplers: ${asking.name} needs labels, the images have none`,
    "give images in a folder for each class, or choose a method without labels",
  );
}
