import { lstat, open, readdir, stat } from "node:fs/promises";
import type { Dirent, Stats } from "node:fs";
import { join } from "node:path";

import { explained, fileError } from "../../files/index.ts";
import { isLabelFile } from "./labelLines.ts";
import { decodable, sniff } from "../pixels/sniff.ts";
import { messageOf } from "./source.ts";
import type { Skipped } from "./source.ts";

/** An image file of a folder. */
export type FoundFile = {
  readonly path: string; // from the folder, with forward slashes
  readonly size: number; // bytes
  readonly modified: number; // milliseconds since 1970
};

/** Image files of a folder in the order of their paths, files of labels, and everything else in it. */
export type FoundFiles = {
  readonly files: FoundFile[];
  readonly labelFiles: string[]; // paths from the folder
  readonly archives: string[]; // that may hold images, by their names: paths from the folder; among the skipped too
  readonly skipped: Skipped[];
};

const imageEnding =
  /\.(jpe?g|jpe|jfif|png|apng|webp|gif|avif|heif|heic|tiff?|svg|bmp|dib|ico|p[pgbn]m|jp2|jxl)$/i;
/** Whether a file has the name of an image. */
export const isImageName = (name: string): boolean => imageEnding.test(name);

/** Whether a file has the name of a tar archive. */
export const isTarName = (name: string): boolean => /\.(tar|tar\.gz|tgz)$/i.test(name);

/** Whether a file has the name of one in the IDX format. */
export const isIdxName = (name: string): boolean => /idx[134]/i.test(name);

/** Whether a file has the name of one that may be of records of CIFAR. */
export const isBinName = (name: string): boolean => /\.bin$/i.test(name);

/** Written beside images by this program or for it; not worth a word. */
const known = new Set(["boxes.json", "manifest.json", "dataset.json"]);
const systemName = /^(thumbs\.db|desktop\.ini|ehthumbs\.db|__macosx|\$recycle\.bin)$/i;

const sentence = (error: unknown, path: string) => messageOf(fileError(error, "read", path));

async function looksLikeImage(path: string): Promise<boolean> {
  const file = await open(path, "r");
  try {
    const bytes = Buffer.alloc(64);
    const { bytesRead } = await file.read(bytes, 0, 64, 0);
    return decodable.includes(sniff(bytes.subarray(0, bytesRead)));
  } finally {
    await file.close();
  }
}

type Walk = {
  root: string;
  seen: Set<string>; // folders, as device:inode
  found: FoundFiles;
};

async function visitFile(walk: Walk, path: string, stats: Stats): Promise<void> {
  const { files, skipped } = walk.found;
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (isLabelFile(name)) walk.found.labelFiles.push(path);
  if (known.has(name) || isLabelFile(name)) return;
  if (isTarName(name) || isIdxName(name) || isBinName(name)) walk.found.archives.push(path);
  if (!isImageName(name) && !(await looksLikeImage(join(walk.root, path)))) {
    skipped.push({ path, reason: "not an image file", ignored: true });
    return;
  }
  files.push({ path, size: stats.size, modified: Math.round(stats.mtimeMs) });
}

async function visitFolder(walk: Walk, path: string, stats: Stats): Promise<void> {
  const { skipped } = walk.found;
  const mark = `${stats.dev}:${stats.ino}`;
  if (walk.seen.has(mark)) {
    skipped.push({ path, reason: "leads to a folder that is read already", ignored: true });
    return;
  }
  walk.seen.add(mark);
  let entries: Dirent[];
  try {
    entries = await readdir(join(walk.root, path), { withFileTypes: true });
  } catch (error) {
    skipped.push({ path, reason: sentence(error, path) });
    return;
  }
  if (path !== "" && isPackedFolder(entries)) {
    skipped.push({ path, reason: "a packed dataset, not images", ignored: true });
    return;
  }
  // Links last, so that a folder is read where it lies and not where a link leads to it.
  const order = (entry: Dirent) => (entry.isSymbolicLink() ? 1 : 0);
  entries.sort((a, b) => order(a) - order(b));
  for (let at = 0; at < entries.length; at += 64) {
    const some = entries.slice(at, at + 64);
    const folders = await Promise.all(some.map((entry) => visit(walk, path, entry)));
    for (const folder of folders) {
      if (folder !== undefined) await visitFolder(walk, folder.path, folder.stats);
    }
  }
}

function isPackedFolder(entries: readonly Dirent[]): boolean {
  const names = entries.map((entry) => entry.name);
  return names.includes("dataset.json") && names.some((name) => /^pixels-\d+\.bin$/.test(name));
}

/** Looks at one name; gives it back where it is a folder to go into. */
async function visit(walk: Walk, parent: string, entry: Dirent) {
  const path = parent === "" ? entry.name : `${parent}/${entry.name}`;
  const { skipped } = walk.found;
  if (entry.name.startsWith(".") || systemName.test(entry.name)) {
    skipped.push({ path, reason: "hidden or system file", ignored: true });
    return undefined;
  }
  try {
    const stats = await stat(join(walk.root, path));
    if (stats.isDirectory()) return { path, stats };
    if (stats.isFile()) await visitFile(walk, path, stats);
    else skipped.push({ path, reason: "neither a file nor a folder", ignored: true });
  } catch (error) {
    skipped.push({ path, reason: await whyUnreadable(walk.root, path, error) });
  }
  return undefined;
}

async function whyUnreadable(root: string, path: string, error: unknown): Promise<string> {
  if (path.includes("\ufffd")) return "its name is not valid UTF-8; rename it";
  const link = await lstat(join(root, path)).catch(() => undefined);
  if (link?.isSymbolicLink() && (error as NodeJS.ErrnoException).code === "ENOENT") {
    return "a link to something that is not there";
  }
  return sentence(error, path);
}

const byPath = (a: { path: string }, b: { path: string }) =>
  a.path < b.path ? -1 : a.path > b.path ? 1 : 0;

/**
 * Finds the image files of a folder and its sub-folders.
 *
 * Links are followed, each folder is read once. Files without a known ending are looked into.
 */
export async function findImages(root: string): Promise<FoundFiles> {
  await explained("read", root, () => readdir(root));
  const found: FoundFiles = { files: [], labelFiles: [], archives: [], skipped: [] };
  await visitFolder({ root, seen: new Set(), found }, "", await stat(root));
  found.files.sort(byPath);
  found.labelFiles.sort();
  found.archives.sort();
  found.skipped.sort(byPath);
  return found;
}
