import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { quoted } from "../../core/quote.ts";
import { explained } from "../../files/index.ts";
import { arrange } from "./arrange.ts";
import { findBeside, readBeside } from "./labelFiles.ts";
import { leftOut } from "./parts.ts";
import type { ImageSource, RawEntry, Skipped, SourceOptions } from "./source.ts";
import { isImageName } from "./walk.ts";
import type { FoundFile, FoundFiles } from "./walk.ts";

/** What gave no image, where those of a part that is left out count as never meant. */
function withoutLeftOut(
  paths: readonly string[],
  skipped: readonly Skipped[],
  options: SourceOptions,
): Skipped[] {
  const places = skipped.map(({ path }) => (isImageName(path) ? path : `${path}/0`)); // as a folder
  const isLeft = leftOut(paths, places, options);
  return skipped.map((item, i) => (isLeft[i] ? { ...item, ignored: true } : item));
}

const mayHoldLabels =
  /\.(csv|tsv|xlsx?)$|^[^/]*(label|annotation|class|categor|target|truth)[^/]*\.(txt|jsonl?|xml|ya?ml|npy|mat)$/i;

/** A sentence about files that may be meant as labels and are not read, where images have none. */
function unreadLabels(skipped: readonly Skipped[]): string[] {
  const found = skipped.filter(({ path }) =>
    mayHoldLabels.test(path.slice(path.lastIndexOf("/") + 1)),
  );
  if (found.length === 0) return [];
  const names = found.slice(0, 3).map(({ path }) => quoted(path, 100));
  const more = found.length > 3 ? ` and ${found.length - 3} more` : "";
  return [
    `not read: ${names.join(", ")}${more}; labels come from files called labels.csv, metadata.csv, metadata.jsonl or manifest.jsonl`,
  ];
}

const SMALL = 2 ** 16; // bytes of a file that is sooner read than handed to a thread

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
  const isBare = options.labels !== "none" && labels.every((label) => label === undefined);
  const notes = [...about.notes, ...(isBare ? unreadLabels(skipped) : [])];
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
        bytes: await explained("read", path, async () => {
          const file = join(folder, path);
          return size <= SMALL ? readFileSync(file) : readFile(file);
        }),
      }),
    };
  };
  async function* entries(skip: (skipped: Skipped) => void): AsyncGenerator<RawEntry> {
    withoutLeftOut(paths, skipped, options).forEach(skip);
    for (const [i, file] of files.entries()) if (kept[i]) yield entry(file, i);
  }
  const count = kept.filter(Boolean).length;
  return { kind: "folder", path: folder, count, ...about, notes, entries };
}
