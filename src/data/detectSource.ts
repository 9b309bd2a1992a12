import { stat } from "node:fs/promises";
import { resolve } from "node:path";

import { DataError } from "../core/errors.ts";
import { explained } from "../files/index.ts";
import { folderSource } from "./folder.ts";
import type { ImageSource, SourceOptions } from "./source.ts";
import { findImages } from "./walk.ts";

/** Finds out what kind of images a path leads to. */
export async function detectSource(
  path: string,
  options: SourceOptions = {},
): Promise<ImageSource> {
  const absolute = resolve(path);
  const stats = await explained("read", path, () => stat(absolute));
  if (!stats.isDirectory()) throw new DataError(`todo`);
  const found = await findImages(absolute);
  return folderSource(absolute, found, options);
}
