import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";

import { ConfigError, DataError } from "../../core/errors.ts";
import { quoted } from "../../core/quote.ts";
import { explained, isLockName } from "../../files/index.ts";
import { foundName } from "../alike/foundCopies.ts";
import { journalName, readJournal, removeJournal, wholeImages } from "./journal.ts";
import {
  byteLength,
  headerName,
  readEntries,
  readHeader,
  shardName,
  shardNumber,
} from "./packedIndex.ts";
import type { PackedHeader, StoredImage } from "./packedIndex.ts";
import type { PixelSettings } from "./packOptions.ts";
import type { ImageSource } from "../sources/source.ts";

const isOurs = (name: string) =>
  [headerName, journalName, foundName].includes(name) ||
  isLockName(name) ||
  shardNumber(name) !== undefined ||
  /^(entries-[0-9a-f]+\.jsonl|copies-[0-9a-f]+\.json)$/.test(name) ||
  /^\.(dataset\.json|copies\.json|entries-[0-9a-f]+\.jsonl|copies-[0-9a-f]+\.json)\..*\.(part|old)$/.test(
    name,
  );

/** Makes a folder and those above it, one by one: a recursive mkdir never ends where none can be made (/proc). */
async function makeFolder(path: string): Promise<void> {
  const code = (error: NodeJS.ErrnoException) => error.code;
  const failed = await mkdir(path).then(() => undefined, code);
  if (failed === undefined || (failed === "EEXIST" && (await stat(path)).isDirectory())) return;
  if (failed === "ENOENT" && dirname(path) !== path) await makeFolder(dirname(path));
  await mkdir(path);
}

/** Makes the folder of a dataset. Refuses folders with anything of others in them. */
export async function claimPackFolder(folder: string, source: ImageSource): Promise<void> {
  if (relative(folder, source.path) === "") {
    throw new ConfigError(
      `pack: ${quoted(folder)} is both where the images are and where to pack them`,
      "choose another folder for the packed dataset",
    );
  }
  await explained("write", folder, () => makeFolder(folder));
  const names = await explained("read", folder, () => readdir(folder));
  const others = names.filter((name) => !isOurs(name));
  if (others.length > 0) {
    throw new ConfigError(
      `pack: ${quoted(folder)} holds something else than a packed dataset (${others.slice(0, 3).join(", ")})`,
      "choose an empty or a new folder",
    );
  }
}

function differences(header: PackedHeader, source: ImageSource, settings: PixelSettings): string[] {
  const changed = Object.keys(settings)
    .filter((name) => header.settings[name as "size"] !== settings[name as "size"])
    .map(
      (name) => `${name} was ${header.settings[name as "size"]}, is ${settings[name as "size"]}`,
    );
  const { kind, path } = header.source;
  if (kind !== source.kind)
    changed.unshift(`the images were read as ${kind}, now as ${source.kind}`);
  if (resolve(path) !== source.path)
    changed.unshift(`it was packed from ${path}, not ${source.path}`);
  return changed;
}

/** What is packed already and may be kept. */
export type Packed = {
  readonly images: Map<string, StoredImage>; // by id
  readonly nextShard: number;
  readonly before?: Index; // the dataset as it stands
};

/** Header and images of a packed dataset. */
export type Index = { readonly header: PackedHeader; readonly images: readonly StoredImage[] };

/** The images whose pixels are there; those of a shard that was cut short are packed anew. */
async function present(folder: string, images: readonly StoredImage[]): Promise<StoredImage[]> {
  const sizes = new Map<number, number>();
  for (const shard of new Set(images.map((image) => image.shard))) {
    const found = await stat(join(folder, shardName(shard))).catch(() => undefined);
    sizes.set(shard, found?.size ?? 0);
  }
  return images.filter((image) => image.offset + byteLength(image) <= sizes.get(image.shard)!);
}

const READ_AGAIN = 2 ** 30; // bytes that overwriting reads to find damaged pixels: half a second

/** The dataset as it stands in a folder, where it is of this source and packed alike. */
export async function indexed(
  folder: string,
  source: ImageSource,
  settings: PixelSettings,
  overwrite: boolean,
): Promise<Index | undefined> {
  let header: PackedHeader | undefined;
  try {
    header = await readHeader(folder);
    if (header === undefined) return undefined;
    const changed = differences(header, source, settings);
    if (changed.length === 0) {
      const bytes = header.shards.reduce((sum, shard) => sum + shard.bytes, 0);
      const kept = overwrite && bytes <= READ_AGAIN ? wholeImages : present;
      return { header, images: await kept(folder, await readEntries(folder, header)) };
    }
    if (!overwrite) {
      throw new ConfigError(
        `pack: ${quoted(folder)} holds another dataset: ${changed.join("; ")}`,
        "choose another folder, or say overwrite",
      );
    }
  } catch (error) {
    if (!(overwrite && error instanceof DataError)) throw error; // overwriting mends damage
  }
  return undefined;
}

/** Identifies what is packed and how; a journal of another key is of no use. */
export const journalKey = (source: ImageSource, settings: PixelSettings) =>
  JSON.stringify({ source: { kind: source.kind, path: source.path }, settings });

/** Reads what earlier packings left in a folder: the index, and the journal of one that was stopped. */
export async function readPacked(
  folder: string,
  source: ImageSource,
  settings: PixelSettings,
  overwrite: boolean,
): Promise<Packed> {
  const before = await indexed(folder, source, settings, overwrite);
  const fresh = await readJournal(folder, journalKey(source, settings));
  if (fresh.length === 0) await removeJournal(folder);
  const images = new Map([...(before?.images ?? []), ...fresh].map((image) => [image.id, image]));
  const names = await readdir(folder);
  const nextShard = Math.max(-1, ...names.map((name) => shardNumber(name) ?? -1)) + 1;
  return { images, nextShard, ...(before === undefined ? {} : { before }) };
}

/** Removes files that the dataset does not need: of earlier indexes, and of packings that were given up. */
export async function removeLeftovers(folder: string, header: PackedHeader): Promise<void> {
  const needed = new Set([headerName, header.entries]);
  if (header.nearDuplicates) needed.add(foundName);
  for (const { shard } of header.shards) needed.add(shardName(shard));
  for (const name of await readdir(folder)) {
    if (!needed.has(name) && isOurs(name) && !isLockName(name))
      await rm(join(folder, name), { force: true });
  }
}
