import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { explained } from "../files/index.ts";
import { classLevel, classOf } from "./classLevel.ts";
import { readSidecar } from "./sidecar.ts";
import type { ImageSource, RawEntry, Skipped, SourceOptions } from "./source.ts";
import { chooseSplit, splitOf } from "./split.ts";
import type { Split } from "./split.ts";
import type { FoundFile, FoundFiles } from "./walk.ts";

type Chosen = FoundFiles & Pick<Split, "about">;

/** Leaves out the test part where the outermost folders are parts of a dataset and hold every image. */
function chooseParts(found: FoundFiles, { split = "auto" }: SourceOptions): Chosen {
  const top = (path: string) => (path.includes("/") ? path.slice(0, path.indexOf("/")) : "");
  const names = [...new Set(found.files.map(({ path }) => top(path)))];
  if (names.every((name) => splitOf(name) === undefined)) return { ...found, about: { notes: [] } };
  const { kept, about } = chooseSplit(names, split);
  const isKept = ({ path }: { path: string }) =>
    kept.includes(top(path)) || !names.includes(top(path));
  return { files: found.files.filter(isKept), skipped: found.skipped.filter(isKept), about };
}

function describeLabels(level: number | undefined, files: readonly FoundFile[]): string {
  if (level === undefined) return "no labels from folders";
  const names = new Set(files.map(({ path }) => classOf(path, level)));
  names.delete(undefined);
  return `labels from ${names.size} class folders (level ${level})`;
}

/**
 * Images in a folder and its sub-folders.
 *
 * @param found what `findImages` gave for the folder
 */
export async function folderSource(
  folder: string,
  found: FoundFiles,
  options: SourceOptions = {},
): Promise<ImageSource> {
  const sidecar = await readSidecar(folder);
  const { files, skipped, about } = chooseParts(found, options);
  const { labels = "auto" } = options;
  const paths = files.map(({ path }) => path);
  const level = labels === "none" ? undefined : labels === "auto" ? classLevel(paths) : labels;
  const entry = ({ path, size, modified }: FoundFile): RawEntry => {
    const beside = sidecar(path);
    const fromFolder = level === undefined ? undefined : classOf(path, level);
    const label = labels === "none" ? undefined : (beside?.label ?? fromFolder);
    return {
      id: path,
      path,
      stamp: `${size}-${modified}`,
      modified,
      ...(label === undefined ? {} : { label }),
      ...(beside?.box === undefined ? {} : { box: beside.box }),
      load: async () => ({
        bytes: await explained("read", path, () => readFile(join(folder, path))),
      }),
    };
  };
  async function* entries(skip: (skipped: Skipped) => void): AsyncGenerator<RawEntry> {
    skipped.forEach(skip);
    for (const file of files) yield entry(file);
  }
  const notes = [...about.notes, describeLabels(level, files)];
  return { kind: "folder", path: folder, count: files.length, ...about, notes, entries };
}
