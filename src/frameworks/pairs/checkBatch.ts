import { ConfigError } from "../../core/errors.ts";

/** Refuses a batch of one image in a framework whose negatives are the other images of the batch. */
export function checkBatch(framework: string, images: number): void {
  if (images > 1) return;
  throw new ConfigError(
    `${framework}: batchSize is ${images}, expected at least 2: the negatives are the other images of the batch`,
    'the frameworks "moco" and "instDisc" keep their negatives from step to step',
  );
}
