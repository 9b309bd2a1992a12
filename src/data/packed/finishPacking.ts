import { createHash } from "node:crypto";

import { DataError } from "../../core/errors.ts";
import { quoted } from "../../core/quote.ts";
import { VERSION } from "../../core/version.ts";
import { compact } from "./compact.ts";
import { conversionsOf } from "./conversions.ts";
import type { Conversion } from "./conversions.ts";
import type { Portrait } from "../alike/copies/portrait.ts";
import { keepFound } from "../alike/foundCopies.ts";
import { groupImages } from "../alike/groupImages.ts";
import { removeJournal } from "./journal.ts";
import { removeLeftovers } from "./packFolder.ts";
import type { Index } from "./packFolder.ts";
import { pixelSettings } from "./packOptions.ts";
import type { PackOptions } from "./packOptions.ts";
import { byteLength, writeIndex } from "./packedIndex.ts";
import type { GroupSummary, PackedHeader, StoredImage } from "./packedIndex.ts";
import type { PixelRange } from "../pixels/ranges.ts";
import type { ImageSource, Skipped } from "../sources/source.ts";
import { rangesFor } from "./showAlike.ts";
import { storedPixels } from "./storedPixels.ts";

/** What became of a packing. */
export type PackReport = {
  readonly folder: string;
  readonly images: number;
  readonly packed: number; // decoded and stored by this run
  readonly kept: number; // stored before and unchanged
  readonly skipped: readonly Skipped[];
  readonly classes: readonly string[];
  readonly labelled: number; // images with a label
  readonly groups: GroupSummary;
  readonly bytes: number; // of pixels
  readonly seconds: number;
  readonly notes: readonly string[];
  readonly conversions: readonly Conversion[]; // of all images, those that were kept too
};

const collator = new Intl.Collator("en", { numeric: true });

function classNames(source: ImageSource, images: readonly StoredImage[]): string[] {
  const used = new Set(images.flatMap(({ label }) => (label === undefined ? [] : [label])));
  const given = source.classes ?? [];
  const rest = [...used].filter((name) => !given.includes(name));
  return used.size === 0
    ? []
    : [...given, ...rest.sort((a, b) => collator.compare(a, b) || (a < b ? -1 : 1))];
}

function fingerprint(images: readonly StoredImage[]): string {
  const hash = createHash("sha256");
  for (const { id, label, group, crc, width, height } of images) {
    hash.update(JSON.stringify([id, label, group, crc, width, height]));
  }
  return hash.digest("hex");
}

function shardsOf(images: readonly StoredImage[]): PackedHeader["shards"] {
  const ends = new Map<number, number>();
  for (const image of images) {
    const end = image.offset + byteLength(image);
    ends.set(image.shard, Math.max(end, ends.get(image.shard) ?? 0));
  }
  return [...ends].map(([shard, bytes]) => ({ shard, bytes })).sort((a, b) => a.shard - b.shard);
}

function nothingLeft(source: ImageSource, skipped: readonly Skipped[]): never {
  const bad = skipped.filter(({ ignored }) => ignored === undefined);
  const first = bad.at(0);
  const example = first === undefined ? "" : `, for example ${quoted(first.path)}: ${first.reason}`;
  throw new DataError(
    `pack: no image in ${quoted(source.path)} could be used (${bad.length === 1 ? "1 file was" : `${bad.length} files were`} skipped${example})`,
    "check that the folder is the one with the images",
  );
}

async function groupStored(
  folder: string,
  { images, portraits }: Stored,
  { nearDuplicates }: PackOptions,
  signal: AbortSignal | undefined,
) {
  const pixels = storedPixels(folder);
  try {
    const grouped = await groupImages(images, pixels, { near: nearDuplicates, portraits, signal });
    if (grouped.copies !== undefined) await keepFound(folder, images, grouped.copies);
    return grouped;
  } finally {
    pixels.close();
  }
}

const factsText = (image: StoredImage) =>
  JSON.stringify(
    Object.entries(image)
      .filter(([name]) => name !== "group")
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );

function isUnchanged(before: Index | undefined, stored: Stored, header: NewHeader): boolean {
  if (before === undefined || before.images.length !== stored.images.length) return false;
  const names = Object.keys(header) as (keyof NewHeader)[];
  const same = (name: keyof NewHeader) =>
    JSON.stringify(before.header[name]) === JSON.stringify(header[name]);
  if (!names.every(same)) return false;
  return stored.images.every((image, i) => factsText(image) === factsText(before.images[i]));
}

/** What storing the images gave. */
export type Stored = {
  readonly images: readonly StoredImage[];
  readonly skipped: readonly Skipped[];
  readonly packed: number;
  readonly kept: number;
  readonly started: number; // performance.now()
  readonly before: Index | undefined; // the dataset as it stands
  readonly portraits: ReadonlyMap<string, Portrait>; // of the images that were decoded, by `pixelKey`
};

/** The part of a header that does not come from grouping and placing the images. */
type NewHeader = Pick<
  PackedHeader,
  "contrapose" | "source" | "settings" | "notes" | "skipped" | "nearDuplicates"
> & {
  classes: readonly string[];
  conversions: readonly Conversion[];
  ranges: readonly PixelRange[];
};

function nextHeader(
  source: ImageSource,
  options: PackOptions,
  { images, skipped }: Pick<Stored, "images" | "skipped">,
): NewHeader {
  return {
    contrapose: VERSION,
    source: { kind: source.kind, path: source.path },
    settings: pixelSettings(options),
    nearDuplicates: options.nearDuplicates,
    classes: classNames(source, images),
    notes: source.notes,
    skipped,
    conversions: conversionsOf(images),
    ranges: rangesFor(images, options),
  };
}

function reportOf(
  folder: string,
  stored: Stored,
  { groups, notes, classes, conversions }: Reported,
): PackReport {
  const { images, packed, kept, skipped, started } = stored;
  return {
    folder,
    images: images.length,
    packed,
    kept,
    skipped,
    classes,
    notes,
    groups,
    conversions,
    labelled: images.filter(({ label }) => label !== undefined).length,
    bytes: images.reduce((sum, image) => sum + byteLength(image), 0),
    seconds: (performance.now() - started) / 1000,
  };
}
type Reported = Pick<PackReport, "groups" | "notes" | "classes" | "conversions">;

/** The report of a dataset that is already what packing would make of it; undefined where it is not. */
export function unchangedReport(
  folder: string,
  source: ImageSource,
  options: PackOptions,
  stored: Stored,
): PackReport | undefined {
  const next = nextHeader(source, options, stored);
  if (!isUnchanged(stored.before, stored, next)) return undefined;
  return reportOf(folder, stored, { ...next, groups: stored.before!.header.groups });
}

async function replaceIndex(
  folder: string,
  options: PackOptions,
  stored: Stored,
  header: NewHeader,
  signal: AbortSignal | undefined,
): Promise<PackedHeader> {
  const { groups, summary } = await groupStored(folder, stored, options, signal);
  const placed = await compact(folder, stored.images, options.shardBytes);
  const images = placed.map((image, i) => ({ ...image, group: groups[i] }));
  const found = { groups: summary, shards: shardsOf(images), fingerprint: fingerprint(images) };
  return writeIndex(folder, { ...header, ...found }, images);
}

/** Groups the images, puts the new index in its place and removes what it does not need. */
export async function finishPacking(
  folder: string,
  source: ImageSource,
  options: PackOptions,
  stored: Stored,
  signal?: AbortSignal,
): Promise<PackReport> {
  const { images, skipped, before } = stored;
  if (images.length === 0) nothingLeft(source, skipped);
  const next = nextHeader(source, options, stored);
  const header = isUnchanged(before, stored, next)
    ? before!.header
    : await replaceIndex(folder, options, stored, next, signal);
  await removeJournal(folder);
  await removeLeftovers(folder, header);
  return reportOf(folder, stored, { ...next, groups: header.groups });
}
