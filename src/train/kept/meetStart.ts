import { availableParallelism } from "node:os";

import { viewAgreement } from "../../metrics/index.ts";
import { viewPolicy } from "../../views/index.ts";
import { isBodyFrozen } from "../../config/checkStart.ts";
import type { RunConfig } from "../../config/schema.ts";
import { isFar, type Start, withWholeImages } from "../../config/start.ts";
import { keepViews } from "./keepFeatures.ts";
import { type Given, keepOptions } from "./openKept.ts";

/** What decides how a start meets images. */
export type Meeting = {
  [K in "freeze" | "wholeImages" | "labels" | "threads"]?: RunConfig[K] | undefined;
};

const IMAGES = 256; // that views are compared of
const LEAST = 32; // below them, agreement says little

/** Images spread over all of them, by their places. */
const spread = (count: number): number[] => {
  const images = Math.min(IMAGES, count);
  return Array.from({ length: images }, (_, i) => Math.floor((i * count) / images));
};

async function agreementOf(
  start: Start,
  out: string,
  threads: number,
  given: Omit<Given, "start" | "test">,
): Promise<number> {
  const { imageSize: size, mean, std } = start.description;
  const plan = {
    policy: viewPolicy({ preset: "photo", size, mean: [...mean], std: [...std], count: 2 }),
    draws: 1,
  };
  const options = { ...keepOptions(start, { out, threads }, given), note: () => undefined };
  const views = await keepViews(options, given.data, plan, spread(given.data.count));
  try {
    const { count, dimension } = views;
    const data = new Float32Array(count * dimension);
    for (let row = 0; row < count; row++) views.read(row, data, row * dimension);
    return viewAgreement({ data, count, dimension });
  } finally {
    views.close();
  }
}

/**
 * A start with how well it knows the images that an adapter is to be trained on, by the agreement of views of up to 256
 * of them; where it hardly does, or where that is asked for, it is fed whole images. Not asked where some labels are to be
 * learned from: they have a recipe of their own. Others come back as they are.
 */
export async function meetStart(
  start: Start | undefined,
  { freeze, wholeImages, labels, threads, out }: Meeting & { out: string },
  given: Omit<Given, "start" | "test">,
): Promise<Start | undefined> {
  if (start === undefined || !isBodyFrozen({ freeze }) || start.description.adapter !== undefined) {
    return start;
  }
  const cores = threads ?? availableParallelism();
  const met =
    labels !== undefined || given.data.count < LEAST
      ? start
      : { ...start, viewAgreement: await agreementOf(start, out, cores, given) };
  return (wholeImages ?? isFar(met)) ? withWholeImages(met) : met;
}
