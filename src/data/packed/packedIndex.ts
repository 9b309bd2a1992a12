import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";

import { z } from "zod";

import { counted } from "../../core/counted.ts";
import { DataError } from "../../core/errors.ts";
import { parseAs } from "../../core/json.ts";
import { quoted } from "../../core/quote.ts";
import { explained, readJsonLines, withAtomicFile, writeFileAtomic } from "../../files/index.ts";
import type { Conversion } from "./conversions.ts";
import type { FileFacts } from "../pixels/decodeBytes.ts";
import type { DeepFacts } from "../pixels/deepPixels.ts";
import type { PixelSettings } from "./packOptions.ts";
import { PixelRange } from "../pixels/ranges.ts";
import type { Box, Skipped, SourceKind } from "../sources/source.ts";

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
  readonly blank?: true; // all stored pixels are of one colour
  readonly label?: string;
  readonly sourceGroup?: string;
  readonly group?: number; // number of the group; set when the dataset is complete
  readonly box?: Box; // in stored pixels
  readonly taken?: number; // milliseconds since 1970, from EXIF
  readonly modified?: number; // milliseconds since 1970, of the file
};

const count = z.int().min(0);
const side = z.int().min(1).max(65535);
const word = z.string().exactOptional();
const instant = z.number().exactOptional();
const boxSide = z.number().min(-1e6).max(1e6);

const deepFacts: z.ZodType<DeepFacts> = z.looseObject({
  depth: z.enum(["char", "short", "ushort", "int", "uint", "float"]),
  low: z.number(),
  high: z.number(),
  shown: z.tuple([z.number(), z.number()]),
  noValue: count.exactOptional(),
  fewLevels: z.literal(true).exactOptional(),
});

/** The structure of `StoredImage`, as it must be in any file. */
export const storedImage: z.ZodType<StoredImage> = z.looseObject({
  id: z.string(),
  path: z.string(),
  stamp: z.string(),
  shard: count,
  offset: count,
  width: side,
  height: side,
  originalWidth: count,
  originalHeight: count,
  crc: count.max(0xffffffff),
  hash: z
    .string()
    .regex(/^[0-9a-f]{16}$/)
    .exactOptional(),
  label: word,
  sourceGroup: word,
  group: count.max(2 ** 31 - 1).exactOptional(),
  box: z.tuple([boxSide, boxSide, boxSide, boxSide]).exactOptional(),
  taken: instant,
  modified: instant,
  blank: z.literal(true).exactOptional(),
  format: word,
  space: word,
  framesHash: word,
  lossless: z.boolean().exactOptional(),
  bytes: count.exactOptional(),
  frames: count.exactOptional(),
  ground: count.max(255).exactOptional(),
  deep: deepFacts.exactOptional(),
  damaged: z.literal(true).exactOptional(),
});

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

const PACK_AGAIN = "the dataset is damaged; pack the images again";

const packedHeader: z.ZodType<PackedHeader> = z.looseObject({
  format: z.literal("contrapose-dataset"),
  version: z.int(),
  contrapose: z.string(),
  count,
  nearDuplicates: z.boolean(),
  source: z.object({ kind: z.enum(["folder", "cifar", "idx", "tar"]), path: z.string() }),
  settings: z.looseObject({
    recipe: z.int(),
    size: side,
    longest: side,
    minimum: side,
    damaged: z.enum(["reject", "accept"]),
  }),
  classes: z.array(z.string()).exactOptional(),
  groups: z.looseObject({
    groups: count,
    grouped: count,
    nearDuplicates: count,
    bursts: count,
    largest: count,
    examples: z.array(z.array(z.string())),
  }),
  shards: z.array(z.object({ shard: count.max(1e9), bytes: count })),
  entries: z.string().regex(/^entries-[0-9a-f]+\.jsonl$/),
  fingerprint: z.string(),
  notes: z.array(z.string()),
  conversions: z.array(z.object({ images: count, what: z.string() })).exactOptional(),
  ranges: z.array(PixelRange).exactOptional(),
  skipped: z.array(
    z.looseObject({
      path: z.string(),
      reason: z.string(),
      ignored: z.literal(true).exactOptional(),
    }),
  ),
});

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

/** Says what a header is of, before its structure is held against what this program knows. */
function checkKind(value: unknown, where: string): void {
  const kind = z.looseObject({ format: z.literal("contrapose-dataset"), version: z.int() });
  const { success, data } = kind.safeParse(value);
  if (!success) {
    throw new DataError(
      `${where} is not the header of a packed dataset`,
      "pack images first: contrapose pack <images> --out <folder>",
    );
  }
  if (data.version <= VERSION) return;
  throw new DataError(
    `${where} has version ${data.version}, this program reads up to ${VERSION}`,
    "update contrapose, or pack the images again",
  );
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
  const where = `dataset: ${quoted(path)}`;
  const origin = { where, hint: PACK_AGAIN };
  checkKind(parseAs(z.unknown(), text, origin), where);
  return parseAs(packedHeader, text, origin);
}

/** Fails where an image lies outside of the files of pixels. */
function checkPlaces(path: string, images: readonly StoredImage[], header: PackedHeader): void {
  const sizes = new Map(header.shards.map(({ shard, bytes }) => [shard, bytes]));
  for (const image of images) {
    const { id, shard, offset } = image;
    const end = offset + byteLength(image);
    const size = sizes.get(shard);
    if (size !== undefined && end <= size) continue;
    throw new DataError(
      `dataset: ${quoted(path)}: the pixels of ${quoted(id, 100)} end at byte ${end} of shard ${shard}, ${size === undefined ? "which is not listed" : `which has ${size} bytes`}`,
      PACK_AGAIN,
    );
  }
}

/** The images of a packed dataset, as many as its header says. */
export async function readEntries(folder: string, header: PackedHeader): Promise<StoredImage[]> {
  const path = join(folder, header.entries);
  const entries = await readJsonLines(path, storedImage, PACK_AGAIN);
  if (entries.length !== header.count) {
    throw new DataError(
      `dataset: ${quoted(path)} lists ${counted(entries.length, "image")}, expected ${header.count}`,
      PACK_AGAIN,
    );
  }
  checkPlaces(path, entries, header);
  return entries;
}

/** Fails where a file of pixels is missing or shorter than the header says. */
export async function checkShards(folder: string, header: PackedHeader): Promise<void> {
  for (const { shard, bytes } of header.shards) {
    const path = join(folder, shardName(shard));
    const { size } = await explained("read", path, () => stat(path));
    if (size < bytes) {
      throw new DataError(
        `dataset: ${quoted(path)} has ${size} bytes, expected ${bytes}`,
        PACK_AGAIN,
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
    format: "contrapose-dataset",
    version: VERSION,
    ...header,
    entries: name,
    count: entries.length,
  };
  await writeFileAtomic(join(folder, headerName), `${JSON.stringify(whole, undefined, 1)}\n`);
  return whole;
}
