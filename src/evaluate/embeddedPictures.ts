import { existsSync, realpathSync, statSync } from "node:fs";
import { isAbsolute, relative } from "node:path";

import { DataError } from "../core/errors.ts";
import { openDataset, type PackedDataset } from "../data/index.ts";
import { insideFolder } from "../files/index.ts";
import type { EmbeddedImage, EmbeddingFacts } from "../store/index.ts";

/** The packed form that images were embedded from, where it is there and whole. */
export async function openPacked({ packed }: EmbeddingFacts): Promise<PackedDataset | undefined> {
  if (packed === undefined || !existsSync(packed)) return undefined;
  try {
    return await openDataset(packed, { memory: 0 }); // a few pictures of many are shown
  } catch (error) {
    if (error instanceof DataError) return undefined; // pictures are an addition
    throw error;
  }
}

const isFolder = (path: string | undefined): path is string =>
  path !== undefined && (statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false);

/** The file of an image; undefined where the images are not plain files, or it is gone. */
export function fileOf(
  { images }: EmbeddingFacts,
  { path, id }: EmbeddedImage,
): string | undefined {
  if (!isFolder(images) || path !== id) return undefined;
  const file = insideFolder(images, path);
  if (!existsSync(file)) return undefined;
  const way = relative(realpathSync(images), realpathSync(file)); // a link may lead elsewhere
  return way.startsWith("..") || isAbsolute(way) ? undefined : file;
}
