import { existsSync } from "node:fs";

import type { ImageEntry, PackedDataset, Skipped, SplitChoice } from "../../data/index.ts";
import { openPacked } from "../../evaluate/embeddedPictures.ts";
import type { Features } from "../../metrics/index.ts";
import {
  type EmbeddedImage,
  type EmbeddingFacts,
  readEmbeddings,
  tablePath,
} from "../../store/embeddings.ts";
import type { Call } from "../verb.ts";
import { openWithProgress } from "./images.ts";

/** Images that duplicates are looked for in. Image i has row i of every table. */
export type ImageSet = {
  readonly name: string;
  readonly images: readonly EmbeddedImage[];
  readonly facts: EmbeddingFacts;
  readonly features: Features | undefined;
  /** The packed form, where it holds any of the images. */
  readonly packed: PackedDataset | undefined;
  /** [images]: the number of each in the packed form, −1 where it is not there. */
  readonly numbers: Int32Array;
  readonly skipped: readonly Skipped[];
  close(): void;
};

/** Whether a name is that of images, as against embeddings. */
export function areImages(name: string): boolean {
  const isTable = /\.(parquet|npy)$/i.test(name) || existsSync(`${name}.parquet`);
  return existsSync(name) && !isTable;
}

function describe(entry: ImageEntry, label: string | undefined): EmbeddedImage {
  const { id, path, group, content, originalWidth: width, originalHeight: height } = entry;
  return { id, path, label, group, content, width, height };
}

/** Images without vectors. Packs them where they are not packed yet. */
export async function setOfImages(
  path: string,
  cache: string,
  split: SplitChoice | undefined,
  call: Call,
): Promise<ImageSet> {
  const { dataset, classes } = await openWithProgress(path, cache, call, { split, memory: 0 });
  const numbers = Int32Array.from({ length: dataset.count }, (_, i) => i);
  const images = Array.from(numbers, (number) => {
    const entry = dataset.entry(number);
    return describe(entry, classes?.[entry.label ?? -1]);
  });
  return {
    name: path,
    images,
    features: undefined,
    packed: dataset,
    numbers,
    facts: { images: dataset.header.source.path, packed: dataset.path },
    skipped: dataset.header.skipped,
    close: () => dataset.close(),
  };
}

/** Embedded images. Their packed form may have changed since: each is looked for in it by its id. */
export async function setOfEmbeddings(name: string): Promise<ImageSet> {
  const { images, features, facts } = await readEmbeddings(name);
  const dataset = await openPacked(facts);
  const places = new Map(dataset?.ids.map((id, i) => [id, i]));
  const numbers = Int32Array.from(images, ({ id }) => places.get(id) ?? -1);
  return {
    name: tablePath(name),
    images,
    facts,
    features,
    numbers,
    packed: numbers.some((number) => number >= 0) ? dataset : undefined,
    skipped: dataset?.header.skipped ?? [],
    close: () => dataset?.close(),
  };
}
