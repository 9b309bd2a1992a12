import { join } from "node:path";

import { counted } from "../core/counted.ts";
import { featuresOf, openFixedEmbedder, type Rows } from "./embedder.ts";
import type { LoadedEncoder } from "./encoderFile.ts";
import { encoderRows } from "./encoderRows.ts";
import { hashOfWeights } from "./encoderHash.ts";
import { type FeatureFile, featuresKey, keptFeatures } from "./featureFile.ts";
import { inputFormat } from "./format.ts";
import type { Images } from "./openImages.ts";

/** An encoder that stays as it is. */
export type FixedEncoder = LoadedEncoder & {
  /** Of its weights and its input, wherever it lies. */
  readonly hash: string;
};

/** An encoder with its hash. */
export function fixedEncoder(loaded: LoadedEncoder): FixedEncoder {
  const { description, variables } = loaded;
  const facts = [description.encoder, inputFormat(description)];
  return { ...loaded, hash: hashOfWeights(variables, facts) };
}

/** Whose features are kept, where, and who is told. */
export type KeepOptions = {
  readonly encoder: FixedEncoder;
  readonly place: string; // folder
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly compiling: () => void;
  readonly progress: (what: string, done: number, total: number) => void;
  readonly note: (text: string) => void;
};

/** Where features are kept beside packed images. */
export const featuresIn = (packed: string): string => join(packed, "features");

const BATCH = 16; // rows at once
const BLOCK = 512; // rows written at once

const part = (rows: Rows, from: number): Rows => ({
  count: Math.min(BLOCK, rows.count - from),
  fill: (row, out, offset) => rows.fill(from + row, out, offset),
});

async function* compute(rows: Rows, { encoder, threads, ...calls }: KeepOptions, what: string) {
  const { network, variables, description } = encoder;
  calls.compiling();
  const { imageSize } = description;
  const { dimension } = network;
  const embedder = await openFixedEmbedder(
    featuresOf(network),
    variables,
    { dimension, imageSize },
    { threads, batchSize: Math.min(BATCH, rows.count) },
  );
  try {
    for (let from = 0; from < rows.count; from += BLOCK) {
      const progress = (done: number) => calls.progress(what, from + done, rows.count);
      yield await embedder.embed(part(rows, from), { signal: calls.signal, progress });
    }
  } finally {
    await rows.close?.();
    await embedder.dispose();
  }
}

/**
 * Opens the features of rows that are made of images and decided by them and by `facts`; computes them where they are
 * not there.
 *
 * @param what a row is, in a word
 */
export async function keepRows(
  options: KeepOptions,
  { dataset: { fingerprint } }: Pick<Images, "dataset">, // groups and labels that were given make no other features
  { rows, facts, what }: { rows: () => Rows; facts: object; what: string },
): Promise<FeatureFile> {
  const { encoder, place, note } = options;
  const key = featuresKey([encoder.hash, inputFormat(encoder.description), fingerprint, facts]);
  const made = rows();
  const shape = [made.count, encoder.network.dimension] as const;
  const { features, isNew } = await keptFeatures(place, key, shape, () =>
    compute(made, options, what),
  );
  if (!isNew) await made.close?.();
  note(
    `features   of ${counted(made.count, what)}, ${isNew ? "kept in" : "as kept in"} ${join(place, key)}`,
  );
  return features;
}

/** Features of images as evaluation sees them: row i is of image i. */
export function keepImages(options: KeepOptions, images: Images): Promise<FeatureFile> {
  const { description } = options.encoder;
  const asked = {
    rows: () => encoderRows(images, description),
    facts: { files: description.crop !== undefined && images.originals !== undefined },
    what: "image",
  };
  return keepRows(options, images, asked);
}
