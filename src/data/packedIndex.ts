import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";

import { DataError } from "../core/errors.ts";
import { explained, readJsonLines, withAtomicFile, writeFileAtomic } from "../files/index.ts";
import type { Conversion } from "./conversions.ts";
import type { FileFacts } from "./decodeBytes.ts";
import type { PixelSettings } from "./packOptions.ts";
import type { PixelRange } from "./ranges.ts";
import type { Box, Skipped, SourceKind } from "./source.ts";

/** Name of the file that makes a folder a packed dataset. Replaced last, so the dataset is always whole. */
export const headerName = "dataset.json";
const VERSION = 1;

/** One image of a packed dataset, as a line of the entries file; facts of its file where it had one of its own. */
export type StoredImage = Partial<FileFacts> & {
  readonly id: string;
  readonly path: string; // from the source, with forward slashes
  readonly stamp: string; // size and time of the file when it was packed
  readonly shard: number; // of the file pixels-<shard>.bin
  readonly offset: number; // bytes
  readonly width: number; // pixels, stored
  readonly height: number; // pixels, stored
  readonly originalWidth: number; // pixels, upright
  readonly originalHeight: number; // pixels, upright
  readonly crc: number; // CRC-32 of the stored pixels
  readonly hash?: string; // perceptual hash, 16 hexadecimal digits; absent for plain images
  readonly blank?: true; // all stored pixels are of one colour
  readonly label?: string;
  readonly sourceGroup?: string;
  readonly group?: number; // number of the group; set when the dataset is complete
  readonly box?: Box; // in stored pixels
  readonly taken?: number; // milliseconds since 1970, from EXIF
  readonly modified?: number; // milliseconds since 1970, of the file
};

/** What was found by grouping images. */
export type GroupSummary = {
  readonly groups: number; // images of no group count as a group of their own
  readonly grouped: number; // images that share a group with others
  readonly nearDuplicates: number; // joins, exact copies among them
  readonly bursts: number; // joins
  readonly largest: number; // images of the largest group
  readonly examples: readonly (readonly string[])[]; // ids of the first groups
};

/** What dataset.json says. */
export type PackedHeader = {
  readonly format: "contrapose-dataset";
  readonly version: number;
  readonly contrapose: string; // version that packed it
  readonly source: { readonly kind: SourceKind; readonly path: string };
  readonly settings: PixelSettings;
  readonly count: number;
  readonly classes?: readonly string[];
  readonly groups: GroupSummary;
  readonly nearDuplicates: boolean; // whether near-duplicates were looked for
  readonly shards: readonly { readonly shard: number; readonly bytes: number }[];
  readonly entries: string; // file name
  readonly fingerprint: string; // of ids, labels, groups and pixels
  readonly notes: readonly string[];
  readonly skipped: readonly Skipped[];
  readonly conversions?: readonly Conversion[]; // what was done to pixels; absent in older ones
  readonly ranges?: readonly PixelRange[]; // by which deep pixels are shown
};

/** File name of a shard. */
export const shardName = (shard: number) => `pixels-${String(shard).padStart(5, "0")}.bin`;

/** Number of a shard from its file name, or undefined for other files. */
export function shardNumber(name: string): number | undefined {
  const match = /^pixels-(\d{5,})\.bin$/.exec(name);
  return match === null ? undefined : Number(match[1]);
}

/** Bytes that an image takes. */
export const byteLength = (image: { width: number; height: number }) =>
  image.width * image.height * 3;

function checkHeader(value: unknown, folder: string): PackedHeader {
  const where = `dataset: ${JSON.stringify(join(folder, headerName))}`;
  const header = value as Partial<PackedHeader> | null;
  if (header?.format !== "contrapose-dataset") {
    throw new DataError(
      `${where} is not the header of a packed dataset`,
      "pack images first: contrapose pack <images> --out <folder>",
    );
  }
  if (!Number.isInteger(header.version) || header.version! > VERSION) {
    throw new DataError(
      `${where} has version ${header.version}, this program reads up to ${VERSION} (it was packed by contrapose ${header.contrapose})`,
      "update contrapose, or pack the images again",
    );
  }
  if (!Array.isArray(header.shards) || typeof header.entries !== "string") {
    throw new DataError(`${where} is incomplete`, "pack the images again");
  }
  return header as PackedHeader;
}

/** The header of a packed dataset, or undefined where the folder holds none. */
export async function readHeader(folder: string): Promise<PackedHeader | undefined> {
  const path = join(folder, headerName);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) {
      return undefined;
    }
    return explained("read", path, () => Promise.reject(error as Error));
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const message = `dataset: ${JSON.stringify(path)} is no JSON`;
    throw new DataError(message, "pack the images again", { cause });
  }
  return checkHeader(value, folder);
}

/** The images of a packed dataset, as many as its header says. */
export async function readEntries(folder: string, header: PackedHeader): Promise<StoredImage[]> {
  const path = join(folder, header.entries);
  const entries = (await readJsonLines(path)) as StoredImage[];
  if (entries.length !== header.count) {
    throw new DataError(
      `dataset: ${JSON.stringify(path)} lists ${entries.length} images, expected ${header.count}`,
      "the dataset is damaged; pack the images again",
    );
  }
  return entries;
}

/** Fails where a file of pixels is missing or shorter than the header says. */
export async function checkShards(folder: string, header: PackedHeader): Promise<void> {
  for (const { shard, bytes } of header.shards) {
    const path = join(folder, shardName(shard));
    const { size } = await explained("read", path, () => stat(path));
    if (size < bytes) {
      throw new DataError(
        `dataset: ${JSON.stringify(path)} has ${size} bytes, expected ${bytes}`,
        "the dataset is damaged; pack the images again",
      );
    }
  }
}

/** Writes entries, then the header that names them. Returns the header. */
export async function writeIndex(
  folder: string,
  header: Omit<PackedHeader, "format" | "version" | "entries" | "count">,
  entries: readonly StoredImage[],
): Promise<PackedHeader> {
  const name = `entries-${header.fingerprint.slice(0, 12)}.jsonl`;
  await withAtomicFile(join(folder, name), async (file) => {
    for (let at = 0; at < entries.length; at += 1000) {
      const lines = entries.slice(at, at + 1000).map((entry) => `${JSON.stringify(entry)}\n`);
      await file.write(lines.join(""));
    }
  });
  const whole: PackedHeader = {
    ...{ format: "contrapose-dataset", version: VERSION, ...header },
    ...{ entries: name, count: entries.length },
  };
  await writeFileAtomic(join(folder, headerName), `${JSON.stringify(whole, undefined, 1)}\n`);
  return whole;
}
