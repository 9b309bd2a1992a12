import { resolve } from "node:path";

import { encoderRows, type Images } from "../inference/index.ts";
import type { Features } from "../metrics/index.ts";
import type { EmbeddedImage, EmbeddingFacts, Embeddings } from "../store/index.ts";
import type { ImageEncoder } from "./imageEncoder.ts";

/** How images are embedded. */
export type EmbedOptions = {
  /** Vectors of an earlier embedding; those of images that are unchanged are taken over. */
  readonly known?: Embeddings | undefined;
  /** Scales every vector to length 1. */
  readonly unit?: boolean | undefined;
  /** What is noted beside, as a foreign model's stated input. */
  readonly facts?: EmbeddingFacts | undefined;
  readonly progress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal | undefined;
};

/** Embeddings with what became of the earlier ones. */
export type EmbeddedImages = Embeddings & {
  readonly fresh: number; // computed now
  readonly kept: number; // taken over
  readonly dropped: number; // of images that are gone
  /** Whether nothing differs from the earlier embeddings, nor where they come from. */
  readonly unchanged: boolean;
};

/** Scales rows to length 1, in place; a zero row stays. */
function normalise({ data, dimension }: Features): void {
  for (let start = 0; start < data.length; start += dimension) {
    const row = data.subarray(start, start + dimension);
    const length = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
    if (length > 0) row.forEach((value, i) => (row[i] = value / length));
  }
}

function describe(images: Images): EmbeddedImage[] {
  const { dataset, classes } = images;
  return Array.from({ length: images.count }, (_, i) => {
    const { id, path, label, group, originalWidth, originalHeight, content } = dataset.entry(i);
    const name = label === undefined ? undefined : classes?.[label];
    const size = { width: originalWidth, height: originalHeight };
    return { id, path, label: name, group, ...size, content };
  });
}

/** The row of each image in earlier embeddings, −1 where it is new or its pixels have changed. */
function knownRows(images: readonly EmbeddedImage[], known: Embeddings | undefined): Int32Array {
  const rows = new Map(known?.images.map(({ id }, row) => [id, row]));
  return Int32Array.from(images, ({ id, content }) => {
    const row = rows.get(id) ?? -1;
    return row >= 0 && known!.images[row].content === content ? row : -1;
  });
}

/** Earlier embeddings, where they are of this encoder and scaled alike. */
function usable(encoder: ImageEncoder, { known, unit = false }: EmbedOptions) {
  const { encoderHash, unit: scaled } = known?.facts ?? {};
  const same = encoderHash === encoder.hash && (scaled === "true") === unit;
  return same && known?.features.dimension === encoder.dimension ? known : undefined;
}

function factsOf(encoder: ImageEncoder, images: Images, options: EmbedOptions): EmbeddingFacts {
  const { source, ranges = [] } = images.dataset.header;
  return {
    encoder: encoder.path,
    encoderHash: encoder.hash,
    features: encoder.features,
    unit: String(options.unit ?? false),
    images: source.path,
    packed: resolve(images.path),
    ...(ranges.length === 0 ? {} : { ranges: JSON.stringify(ranges) }),
    ...options.facts,
  };
}

/** Whether earlier embeddings are of the same images and say the same of where they come from. */
function isSame(
  known: Embeddings | undefined,
  images: readonly EmbeddedImage[],
  facts: EmbeddingFacts,
): boolean {
  const names = Object.keys(facts) as (keyof EmbeddingFacts)[];
  const sameFacts = names.every((name) => facts[name] === known?.facts[name]);
  return sameFacts && JSON.stringify(images) === JSON.stringify(known?.images);
}

/**
 * Embeds the images of a set. Where vectors of the same encoder are known, only new and changed images go
 * through it, and those of images that are gone are dropped.
 */
export async function embedImages(
  encoder: ImageEncoder,
  images: Images,
  options: EmbedOptions = {},
): Promise<EmbeddedImages> {
  const known = usable(encoder, options);
  const described = describe(images);
  const rows = knownRows(described, known);
  const asked = Int32Array.from(rows.keys()).filter((i) => rows[i] < 0);
  const computed = await encoder.embed(encoderRows(images, encoder.format, asked), {
    progress: (done) => options.progress?.(done, asked.length),
    signal: options.signal,
  });
  if (options.unit === true) normalise(computed);
  const { dimension } = encoder;
  const data = new Float32Array(images.count * dimension);
  const copy = (from: Features, row: number, to: number) =>
    data.set(from.data.subarray(row * dimension, (row + 1) * dimension), to * dimension);
  rows.forEach((row, i) => row >= 0 && copy(known!.features, row, i));
  asked.forEach((i, row) => copy(computed, row, i));
  const kept = images.count - asked.length;
  const dropped = (known?.images.length ?? 0) - kept;
  const facts = factsOf(encoder, images, options);
  const unchanged = asked.length === 0 && isSame(known, described, facts);
  return {
    images: described,
    features: { data, count: images.count, dimension },
    facts,
    fresh: asked.length,
    kept,
    dropped,
    unchanged,
  };
}
