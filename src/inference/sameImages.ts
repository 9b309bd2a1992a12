import { counted } from "../core/counted.ts";
import { ConfigError } from "../core/errors.ts";
import type { Images } from "./openImages.ts";

/** Refuses test images that are the training images; groups of a file do not make them others. */
export function refuseSame(caller: string, train: Images, test: Images): void {
  if (train.dataset.fingerprint !== test.dataset.fingerprint) return;
  throw new ConfigError(
    `${caller}: the test images are the training images themselves (${counted(train.count, "image")}), expected others`,
    "give images that were held out, or leave --test out",
  );
}
