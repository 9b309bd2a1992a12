import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";

import type { z } from "zod";

import { ContraposeError, DataError } from "../../core/errors.ts";
import { quoted } from "../../core/quote.ts";
import { parseOptions } from "../../core/options.ts";
import { lock } from "../../files/index.ts";
import { drawPortrait, type Portrait } from "../alike/copies/portrait.ts";
import { pixelKey } from "../alike/groupImages.ts";
import { inOrder } from "../inOrder.ts";
import { hasJournal, openJournal } from "./journal.ts";
import type { Journal } from "./journal.ts";
import { claimPackFolder, indexed, journalKey, readPacked } from "./packFolder.ts";
import type { Packed } from "./packFolder.ts";
import { finishPacking, unchangedReport } from "./finishPacking.ts";
import type { PackReport } from "./finishPacking.ts";
import { PackOptions, pixelSettings } from "./packOptions.ts";
import type { PixelSettings } from "./packOptions.ts";
import type { StoredImage } from "./packedIndex.ts";
import type { PixelRange } from "../pixels/ranges.ts";
import { LARGEST } from "../sources/records.ts";
import { shardWriter } from "./shardWriter.ts";
import type { ShardWriter } from "./shardWriter.ts";
import { rangesFor, shownOtherwise } from "./showAlike.ts";
import { messageOf } from "../sources/source.ts";
import type { ImageSource, RawEntry, Skipped } from "../sources/source.ts";
import { factsOf, prepareImage } from "./storeImage.ts";
import type { Prepared } from "./storeImage.ts";

/** How far a packing is. */
export type PackProgress = {
  readonly done: number; // images seen, kept and skipped ones too
  readonly total?: number;
  readonly packed: number; // decoded and stored by this run
  readonly kept: number; // stored before and unchanged
  readonly skipped: number;
  readonly seconds: number;
  readonly finishing?: boolean; // grouping and writing the index
};

/** What is told of a packing while it runs, and what can stop it. */
export type PackCalls = {
  readonly onProgress?: (progress: PackProgress) => void; // about ten times a second
  readonly note?: ((text: string) => void) | undefined;
  readonly signal?: AbortSignal;
};

type Decoded = { prepared: Prepared } | { skipped: Skipped };
type Outcome = { kept: StoredImage } | Decoded;

/** Everything that one packing holds. */
type Packing = {
  source: ImageSource;
  options: PackOptions;
  settings: PixelSettings;
  packed: Packed;
  writer: ShardWriter;
  journal: Journal;
  calls: PackCalls;
  ranges: readonly PixelRange[]; // of deep pixels, as far as known
  portraits: Map<string, Portrait>; // of what this packing decoded, by `pixelKey`
};

/** A stored image with what the source now says of it. */
function refreshed(known: StoredImage, entry: RawEntry): StoredImage {
  const rest: Record<string, unknown> = { ...known };
  for (const name of ["label", "sourceGroup", "box", "modified", "group"]) delete rest[name];
  return { ...(rest as StoredImage), ...factsOf(entry, known) };
}

async function handle(packing: Packing, entry: RawEntry): Promise<Outcome> {
  const known = packing.packed.images.get(entry.id);
  if (known !== undefined && known.stamp === entry.stamp) {
    return { kept: refreshed(known, entry) };
  }
  return tryPrepare(packing, entry);
}

async function tryPrepare(packing: Packing, entry: RawEntry): Promise<Decoded> {
  const { settings, options, ranges } = packing;
  const { signal } = packing.calls;
  try {
    return { prepared: await prepareImage(entry, settings, options, { ranges, signal }) };
  } catch (error) {
    signal?.throwIfAborted();
    const named = `${quoted(entry.id)}: `;
    const message = messageOf(error);
    const reason = message.startsWith(named) ? message.slice(named.length) : message;
    return { skipped: { path: entry.id, reason } };
  }
}

function refuse({ path, reason }: Skipped): never {
  throw new DataError(
    `pack: ${quoted(path)}: ${reason}`,
    "remove the file, or pack without strict to skip such files",
  );
}

const SECONDS_BETWEEN_FLUSHES = 0.5;
const PATIENCE = 15; // seconds; a packing that finds nothing new is through long before

async function store(packing: Packing, { image, pixels }: Prepared): Promise<StoredImage> {
  const { writer, journal, portraits, options } = packing;
  const stored: StoredImage = { ...image, ...(await writer.append(pixels)) };
  journal.add(stored);
  if (options.nearDuplicates) {
    const { width, height } = stored;
    portraits.set(pixelKey(stored), drawPortrait({ width, height, channels: 3, data: pixels }));
  }
  return stored;
}

const widthOf = ({ parallel }: PackOptions) => ({
  values: parallel ?? Math.max(4, 2 * availableParallelism()),
  bytes: LARGEST,
  sizeOf: ({ size }: RawEntry) => size,
});

/**
 * Decodes deep images again that are shown by another range than their set, now that all of it is known.
 * Those that cannot be read any more are left out.
 */
async function showAlike(packing: Packing, all: readonly StoredImage[]) {
  const { source, options, calls } = packing;
  const ranges = rangesFor(all, options);
  const images = new Map(all.map((image) => [image.id, image]));
  const skipped: Skipped[] = [];
  const others = new Set(shownOtherwise(all, ranges).map(({ id }) => id));
  if (others.size === 0) return { images: all, skipped };
  async function* again() {
    for await (const entry of source.entries(() => undefined))
      if (others.has(entry.id)) yield entry;
  }
  const decode = (entry: RawEntry) => tryPrepare({ ...packing, ranges }, entry);
  for await (const outcome of inOrder(again(), widthOf(options), decode)) {
    if ("prepared" in outcome) {
      const image = await store(packing, outcome.prepared);
      images.set(image.id, image);
    } else {
      skipped.push(outcome.skipped);
      images.delete(outcome.skipped.path);
    }
    calls.signal?.throwIfAborted();
  }
  return { images: [...images.values()], skipped };
}

async function storeAll(packing: Packing) {
  const { source, options, writer, journal, calls } = packing;
  const images: StoredImage[] = [];
  const skipped: Skipped[] = [];
  const started = performance.now();
  let [packed, kept, told, flushed] = [0, 0, 0, started];
  const skip = (item: Skipped) => {
    if (options.strict && item.ignored === undefined) refuse(item);
    skipped.push(item);
  };
  const tell = (now: number) => {
    const done = packed + kept + skipped.filter((item) => item.ignored === undefined).length;
    const total = source.count === undefined ? {} : { total: source.count };
    const seconds = (now - started) / 1000;
    calls.onProgress?.({ done, ...total, packed, kept, skipped: skipped.length, seconds });
  };
  const outcomes = inOrder(source.entries(skip), widthOf(options), (e) => handle(packing, e));
  for await (const outcome of outcomes) {
    if ("skipped" in outcome) skip(outcome.skipped);
    else if ("kept" in outcome) {
      images.push(outcome.kept);
      kept += 1;
    } else {
      images.push(await store(packing, outcome.prepared));
      packed += 1;
    }
    const now = performance.now();
    if (now - told > 100) tell((told = now));
    if (now - flushed > 1000 * SECONDS_BETWEEN_FLUSHES || calls.signal?.aborted === true) {
      await writer.flush();
      await journal.flush();
      flushed = performance.now();
      calls.signal?.throwIfAborted();
    }
  }
  tell(performance.now());
  const alike = await showAlike(packing, images);
  alike.skipped.forEach(skip);
  const { portraits } = packing;
  return { images: alike.images, skipped, packed, kept, started, portraits };
}

/** The report of a folder that needs no packing, found without writing there; undefined where something has changed. */
async function reportUnchanged(
  out: string,
  source: ImageSource,
  options: PackOptions,
): Promise<PackReport | undefined> {
  const started = performance.now();
  const before = await indexed(out, source, pixelSettings(options), options.overwrite);
  if (before === undefined || hasJournal(out)) return undefined;
  const known = new Map(before.images.map((image) => [image.id, image]));
  const images: StoredImage[] = [];
  const skipped: Skipped[] = [];
  for await (const entry of source.entries((item) => skipped.push(item))) {
    const image = known.get(entry.id);
    if (image?.stamp !== entry.stamp) return undefined;
    images.push(refreshed(image, entry));
  }
  if (options.strict && skipped.some(({ ignored }) => ignored === undefined)) return undefined;
  const stored = { images, skipped, packed: 0, kept: images.length, started, before };
  return unchangedReport(out, source, options, { ...stored, portraits: new Map() });
}

/**
 * Decodes the images of a source once and stores their pixels in a folder, as a packed dataset.
 *
 * Images of files that have not changed since the last packing are kept, those of files that are gone
 * are dropped. A packing that was stopped, at any point, goes on where it was; the dataset that stood
 * there before stays whole until the new one is. Files that give no image are skipped and reported.
 */
export async function packDataset(
  source: ImageSource,
  folder: string,
  options: z.input<typeof PackOptions> = {},
  calls: PackCalls = {},
): Promise<PackReport> {
  const parsed = parseOptions("pack", PackOptions, options);
  const settings = pixelSettings(parsed);
  const out = resolve(folder);
  const standing = await reportUnchanged(out, source, parsed);
  if (standing !== undefined) return standing;
  await claimPackFolder(out, source);
  const held = await lock(join(out, "pack"), {
    what: `pack: ${quoted(folder)} is being packed`,
    patience: PATIENCE,
    note: calls.note,
  });
  try {
    const packed = await readPacked(out, source, settings, parsed.overwrite);
    const journal = await openJournal(out, journalKey(source, settings));
    const writer = shardWriter(out, packed.nextShard, parsed.shardBytes);
    try {
      const ranges = parsed.ranges ?? packed.before?.header.ranges ?? [];
      const own = { source, options: parsed, settings, packed, writer, journal, calls, ranges };
      const packing = { ...own, portraits: new Map<string, Portrait>() };
      const stored = await storeAll(packing).finally(async () => {
        await writer.close();
        await journal.flush();
      });
      const whole = { ...stored, before: packed.before };
      return await finishPacking(out, source, parsed, whole, calls.signal);
    } catch (error) {
      if (calls.signal?.aborted !== true) throw error;
      throw new ContraposeError(
        `pack: stopped before the end; ${quoted(folder)} keeps what is packed so far`,
        "run the same command again to go on",
        { cause: error },
      );
    } finally {
      await journal.close();
    }
  } finally {
    held.release();
  }
}
