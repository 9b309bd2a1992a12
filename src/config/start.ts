import { existsSync } from "node:fs";
import { join } from "node:path";

import { DataError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";
import { writeSafetensors } from "../files/index.ts";
import type { DownloadCalls } from "../hub/index.ts";
import {
  encoderMetadata,
  fixedEncoder,
  type FixedEncoder,
  loadEncoder,
  resolveStart,
  START,
  type Training,
} from "../inference/index.ts";
import type { RunConfig } from "./schema.ts";

/** A pretrained encoder that a run starts from. */
export type Start = FixedEncoder & {
  /** Share of images whose two views it finds nearest to each other, among up to 256; where that was measured. */
  readonly viewAgreement?: number | undefined;
};

/** Of images that a start knows; 63 to 72 % were measured on photographs, 16 % on magnetic tiles (bench/adapt.mjs). */
const FAMILIAR = 0.4;

/** Whether images are far from those that a start was trained on: it hardly tells them apart. */
export const isFar = ({ viewAgreement = 1 }: Pick<Start, "viewAgreement">): boolean =>
  viewAgreement < FAMILIAR;

/** A start that is fed whole images, squeezed into its square, instead of the part that its maker cuts out. */
export function withWholeImages(start: Start): Start {
  const { description, viewAgreement } = start;
  if (description.crop?.of !== "square") return start; // it takes them whole already
  const crop = { of: "whole", share: 1 } as const;
  return { ...fixedEncoder({ ...start, description: { ...description, crop } }), viewAgreement };
}

/** Opens what `from` names, for images of another size than its own where one is given; downloads it where it must. */
export async function openStart(
  from: string,
  imageSize: number | undefined,
  calls: DownloadCalls,
): Promise<Start> {
  return fixedEncoder(await loadEncoder(await resolveStart(from, calls), { imageSize }));
}

/** The start of a run as it was, kept beside the run, so that it can be gone on with and compared with. */
const startPath = (run: string): string => join(run, START);

/** Keeps the start of a run in its folder, with the training of that run: it is what the run may give. */
export async function keepStart(
  run: string,
  { description, variables }: Start,
  training: Training,
): Promise<void> {
  const arrays = { ...variables.parameters, ...variables.statistics };
  await writeSafetensors(startPath(run), arrays, encoderMetadata({ ...description, training }));
}

/** The kept start of a run; undefined where it began with nothing. Throws `DataError` where it is another. */
export async function keptStart(
  run: string,
  { start }: Pick<RunConfig, "start">,
): Promise<Start | undefined> {
  if (start === undefined) return undefined;
  const path = startPath(run);
  if (!existsSync(path)) {
    throw new DataError(
      `${quoted(path)} is missing: the run began with it`,
      "put the file back, or train a new run",
    );
  }
  const found = fixedEncoder(await loadEncoder(path));
  if (found.hash === start.hash) return found;
  throw new DataError(
    `${quoted(path)} is not the encoder that the run began with`,
    "it was changed: put the file back, or train a new run",
  );
}
