import {
  type EmbedderOptions,
  imageRows,
  type Images,
  type LoadedEncoder,
} from "../inference/index.ts";
import type { Features } from "../metrics/index.ts";
import { type FeaturesKind, openEncoder } from "./embedSet.ts";

/** Embeddings of images, row i of image i. */
export type EmbeddedImages = {
  readonly features: Features;
  readonly ids: readonly string[];
  readonly labels: readonly (string | undefined)[];
};

/** Scales rows to length 1, in place; a zero row stays. */
function normalise({ data, dimension }: Features): void {
  for (let start = 0; start < data.length; start += dimension) {
    const row = data.subarray(start, start + dimension);
    const length = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
    if (length > 0) row.forEach((value, i) => (row[i] = value / length));
  }
}

/** Embeds all images of a set. */
export async function embedImages(
  loaded: LoadedEncoder,
  images: Images,
  options: EmbedderOptions & {
    features?: FeaturesKind | undefined;
    unit?: boolean | undefined;
    progress?: (done: number, total: number) => void;
    signal?: AbortSignal | undefined;
  } = {},
): Promise<EmbeddedImages> {
  const encoder = await openEncoder(loaded, options.features ?? "features", options);
  try {
    const features = await encoder.embed(imageRows(images, encoder.format), {
      progress: (done) => options.progress?.(done, images.count),
      signal: options.signal,
    });
    if (options.unit === true) normalise(features);
    const { classes, labels } = images;
    const nameOf = (label: number) => (label < 0 ? undefined : classes?.[label]);
    return {
      features,
      ids: images.dataset.ids,
      labels: images.dataset.ids.map((_, i) => nameOf(labels?.[i] ?? -1)),
    };
  } finally {
    await encoder.dispose();
  }
}
