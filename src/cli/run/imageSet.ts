import { existsSync } from "node:fs";

import type { ImageEntry, Skipped, SplitChoice } from "../../data/index.ts";
import type { Features } from "../../metrics/index.ts";
import {
  type EmbeddedImage,
  type EmbeddingFacts,
  readEmbeddings,
  tablePath,
} from "../../store/embeddings.ts";
import type { Call } from "../verb.ts";
import { openWithProgress } from "./images.ts";
import { openPictures } from "./pictures.ts";

/** Images that duplicates are looked for in. Image i has row i of every table. */
export type ImageSet = {
  readonly name: string;
  readonly images: readonly EmbeddedImage[];
  readonly facts: EmbeddingFacts;
  readonly features: Features | undefined;
  /** The folder of the packed form, where it holds any of the images. */
  readonly packed: string | undefined;
  /** [images]: the number of each in the packed form, −1 where it is not there. */
  readonly numbers: Int32Array;
  readonly skipped: readonly Skipped[];
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
  const opened = await openWithProgress(path, cache, call, { split, memory: 0 });
  try {
    const { dataset, classes } = opened;
    const numbers = Int32Array.from({ length: opened.count }, (_, i) => i);
    const images = Array.from(numbers, (number) => {
      const entry = dataset.entry(number);
      return describe(entry, classes?.[entry.label ?? -1]);
    });
    const facts = { images: dataset.header.source.path, packed: opened.path };
    const skipped = dataset.header.skipped;
    return {
      name: path,
      images,
      facts,
      features: undefined,
      packed: opened.path,
      numbers,
      skipped,
    };
  } finally {
    opened.close();
  }
}

/** Embedded images. Their packed form may have changed since: each is looked for in it by its id. */
export async function setOfEmbeddings(name: string): Promise<ImageSet> {
  const { images, features, facts } = await readEmbeddings(name);
  const pictures = await openPictures(facts);
  try {
    const { dataset } = pictures;
    const places = new Map(dataset?.ids.map((id, i) => [id, i]));
    const numbers = Int32Array.from(images, ({ id }) => places.get(id) ?? -1);
    const packed = numbers.some((number) => number >= 0) ? dataset?.path : undefined;
    const skipped = dataset?.header.skipped ?? [];
    return { name: tablePath(name), images, facts, features, packed, numbers, skipped };
  } finally {
    pictures.close();
  }
}
