import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";

import { ConfigError, DataError } from "../../core/errors.ts";
import { quoted } from "../../core/quote.ts";
import { suggest } from "../../core/suggest.ts";
import { explained } from "../../files/index.ts";
import { cifarLabelBytes, cifarSource, isCifarName } from "./cifar.ts";
import { folderSource } from "./folder.ts";
import { idxSource, isIdxImages } from "./idx.ts";
import { readHeader } from "../packed/packedIndex.ts";
import { findParts } from "./parts.ts";
import type { ImageSource, SourceKind, SourceOptions } from "./source.ts";
import { tarSource } from "./tarShards.ts";
import { findImages, isBinName, isIdxName, isImageName, isTarName } from "./walk.ts";
import type { FoundFiles } from "./walk.ts";

const expected =
  "a folder of images, CIFAR binary files, IDX files, tar shards or a packed dataset";

/** Files of a kind other than plain images. */
type Archives = { readonly kind: Exclude<SourceKind, "folder">; readonly files: string[] };

/** CIFAR files, by their lengths; beside one that is whole also those that were cut short, by their names. */
async function cifarAmong(paths: readonly string[]): Promise<string[]> {
  const bytes = await Promise.all(paths.map(cifarLabelBytes));
  const isOne = bytes.some((labels) => labels > 0);
  return paths.filter((path, i) => bytes[i] > 0 || (isOne && isCifarName(path)));
}

const CUT =
  "a CIFAR file has a length that is a multiple of 3073 or 3074 bytes; this one may be cut short";

/** Whether a file is the packed form of another one beside it, as downloads leave it: its images would be read twice. */
const isTwin = (path: string, paths: readonly string[]): boolean =>
  /\.gz$/i.test(path) && paths.includes(path.slice(0, -".gz".length));

async function archivesAmong(given: readonly string[]): Promise<Archives[]> {
  const paths = given.filter((path) => !isTwin(path, given));
  const tar = paths.filter(isTarName);
  const idx = paths.filter((path) => isIdxName(basename(path)) && isIdxImages(path));
  const cifar = await cifarAmong(paths.filter(isBinName));
  const all: Archives[] = [
    { kind: "tar", files: tar },
    { kind: "cifar", files: cifar },
    { kind: "idx", files: idx },
  ];
  return all.filter(({ files }) => files.length > 0);
}

async function openArchives(
  path: string,
  { kind, files }: Archives,
  options: SourceOptions,
  labelFiles: readonly string[] = [],
): Promise<ImageSource> {
  if (kind === "tar") return tarSource(path, files, options, labelFiles);
  return kind === "cifar" ? cifarSource(path, files, options) : idxSource(path, files, options);
}

async function missing(path: string): Promise<never> {
  const name = basename(path);
  const names = await readdir(dirname(path)).catch(() => []);
  const near = suggest(name, names);
  throw new DataError(
    `data: ${quoted(path)} does not exist, expected ${expected}`,
    near === undefined ? "check the path" : `did you mean ${join(dirname(path), near)}?`,
  );
}

async function fromFile(path: string, options: SourceOptions): Promise<ImageSource> {
  const [archives] = await archivesAmong([path]);
  if (archives !== undefined) return openArchives(path, archives, options);
  const hint = isImageName(path)
    ? `give its folder: ${dirname(path)}`
    : isBinName(path)
      ? CUT
      : "check the path";
  throw new DataError(`data: ${quoted(path)} is a file, expected ${expected}`, hint);
}

function noImages(path: string, found: FoundFiles, names: readonly string[]): never {
  const where = `data: ${quoted(path)}`;
  if (names.length === 0) throw new DataError(`${where} is an empty folder, expected ${expected}`);
  const unreadable = found.skipped.find(({ ignored }) => ignored === undefined);
  if (unreadable !== undefined) {
    throw new DataError(
      `${where} gave no image; ${quoted(unreadable.path)}: ${unreadable.reason}`,
      "check who owns the files",
    );
  }
  const shown = names.slice(0, 3).map((name) => quoted(name));
  const more = names.length > 3 ? `, … ${names.length} names in all` : "";
  throw new DataError(
    `${where} holds no images (only ${shown.join(", ")}${more}), expected ${expected}`,
    names.some(isCifarName) ? CUT : "check that the folder is the one with the images",
  );
}

/**
 * Archives in sub-folders: tar archives where there are no images, or tar archives beside them; files of records where
 * there are no images and no other files of the folder's own to read.
 */
function archivesBelow(path: string, found: FoundFiles, own: readonly string[]): string[] {
  const isNone = found.files.length === 0;
  const records = isNone && !own.some((name) => isBinName(name) || isIdxName(basename(name)));
  const tars = isNone || own.some(isTarName);
  return found.archives
    .filter((name) => name.includes("/") && (isTarName(name) ? tars : records))
    .map((name) => join(path, name));
}

/** Refuses files of records of several folders that are not parts of one set: classes of one are not those of the other. */
function refuseSeveral(path: string, { kind, files }: Archives): void {
  if (kind === "tar") return;
  const names = files.map((file) => relative(path, file));
  const sets = new Map(findParts(names).bare.map((bare, i) => [dirname(bare), dirname(names[i])]));
  if (sets.size < 2) return;
  const [one, other] = [...sets.values()].map((name) => quoted(name));
  throw new DataError(
    `data: ${quoted(path)} holds ${sets.size} sets of ${kind === "cifar" ? "CIFAR" : "IDX"} files, in ${one} and ${other}${sets.size > 2 ? " …" : ""}, expected one`,
    "give the folder of one of them",
  );
}

async function fromFolder(path: string, options: SourceOptions): Promise<ImageSource> {
  if ((await readHeader(path).catch(() => undefined)) !== undefined) {
    throw new DataError(
      `data: ${quoted(path)} is a packed dataset already, expected what it is packed from`,
      "open it as it is",
    );
  }
  const found = await findImages(path);
  const entries = await readdir(path, { withFileTypes: true });
  const files = entries.filter((entry) => !entry.isDirectory() && !entry.name.startsWith("."));
  const paths = files.map(({ name }) => join(path, name)).sort();
  const present = await Promise.all(paths.map((file) => stat(file).catch(() => undefined)));
  const own = paths.filter((_, i) => present[i]?.isFile());
  const archives = await archivesAmong([...own, ...archivesBelow(path, found, own)]);
  const wanted = options.reader;
  const FEW = 10; // pictures that may lie beside archives, as previews do
  if (wanted === "folder" || (wanted === undefined && found.files.length >= FEW)) {
    if (found.files.length > 0) return folderSource(path, found, options);
  }
  const chosen = wanted === undefined ? archives.at(0) : archives.find((a) => a.kind === wanted);
  if (chosen !== undefined) {
    refuseSeveral(path, chosen);
    return openArchives(path, chosen, options, found.labelFiles);
  }
  if (wanted !== undefined && wanted !== "folder") {
    throw new ConfigError(`data: ${quoted(path)} holds no ${wanted} files`, "leave reader out");
  }
  if (found.files.length > 0) return folderSource(path, found, options);
  return noImages(path, found, names(entries));
}

const names = (entries: readonly { name: string }[]) => entries.map(({ name }) => name).sort();

/**
 * Finds out what a path leads to, and how its images are read.
 *
 * A folder with images is read as such, unless it holds tar shards, CIFAR or IDX files and hardly any
 * image. Of places with a training and a test part the training part is read unless `split` says
 * otherwise.
 */
export async function detectSource(
  path: string,
  options: SourceOptions = {},
): Promise<ImageSource> {
  const absolute = resolve(path);
  const stats = await stat(absolute).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return missing(path);
    return explained("read", path, () => Promise.reject(error));
  });
  if (stats.isDirectory()) return fromFolder(absolute, options);
  if (stats.isFile()) return fromFile(absolute, options);
  throw new DataError(`data: ${quoted(path)} is neither a file nor a folder`);
}
