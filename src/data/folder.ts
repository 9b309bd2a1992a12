import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { explained } from "../files/index.ts";
import { arrange } from "./arrange.ts";
import { findBeside, readBeside } from "./labelFiles.ts";
import type { ImageSource, RawEntry, Skipped, SourceOptions } from "./source.ts";
import type { FoundFile, FoundFiles } from "./walk.ts";

/**
 * Images in a folder and its sub-folders.
 *
 * @param found what `findImages` gave for the folder
 */
export async function folderSource(
  folder: string,
  { files, labelFiles, skipped }: FoundFiles,
  options: SourceOptions = {},
): Promise<ImageSource> {
  const paths = files.map(({ path }) => path);
  const beside = readBeside(folder, paths, await findBeside(folder, labelFiles));
  const { kept, labels, about } = arrange(folder, paths, beside, options);
  const entry = ({ path, size, modified }: FoundFile, i: number): RawEntry => {
    const [label, box] = [labels[i], beside.facts[i].box];
    return {
      id: path,
      path,
      stamp: `${size}-${modified}`,
      modified,
      size,
      ...(label === undefined ? {} : { label }),
      ...(box === undefined ? {} : { box }),
      load: async () => ({
        bytes: await explained("read", path, () => readFile(join(folder, path))),
      }),
    };
  };
  async function* entries(skip: (skipped: Skipped) => void): AsyncGenerator<RawEntry> {
    skipped.forEach(skip);
    for (const [i, file] of files.entries()) if (kept[i]) yield entry(file, i);
  }
  const count = kept.filter(Boolean).length;
  return { kind: "folder", path: folder, count, ...about, entries };
}
