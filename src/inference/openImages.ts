import { counted } from "../core/counted.ts";
import { createHash } from "node:crypto";
import { basename, dirname, join, resolve } from "node:path";

import { DataError } from "../core/errors.ts";
import { harmless, quoted } from "../core/quote.ts";
import type { PixelSource } from "../core/pixels.ts";
import {
  conversionLine,
  detectSource,
  type ImageSource as ImagePlace,
  isPackedDataset,
  openDataset,
  packDataset,
  type PackedDataset,
  type PackReport,
  type PixelRange,
  readGivenLabels,
  readOriginals,
  type SplitChoice,
} from "../data/index.ts";
import type { ImageSource } from "./embedder.ts";
import { readGroups } from "./groupsFile.ts";
import { joinGroups } from "./joinGroups.ts";

/** Images ready for training and embedding, packed from whatever they were. */
export type Images = ImageSource & {
  readonly path: string; // of the packed dataset
  readonly pixels: PixelSource;
  readonly shortSide: number; // median of the shorter sides, pixels
  readonly originalShortSide: number; // that of the files
  readonly labels: Int32Array | undefined; // -1 for images without one
  readonly classes: readonly string[] | undefined;
  readonly fingerprint: string;
  readonly dataset: PackedDataset;
  idOf(index: number): string;
  close(): void;
};

/** How images are opened. */
export type OpenImagesOptions = {
  /** Folder under which packed forms are kept. */
  readonly cache: string;
  /** Side of the views to be made, so that images are stored large enough. */
  readonly imageSize?: number | undefined;
  /** Which part of a place with parts; the training part by default. */
  readonly split?: SplitChoice | undefined;
  /** How deep pixels are shown: by the ranges of an encoder's training, else by those of the images. */
  readonly ranges?: readonly PixelRange[] | undefined;
  /** A file of groups, joined to those that were found when packing. */
  readonly groups?: string | undefined;
  /** A file of labels, in the place of those that were found when packing; images that it leaves out have none. */
  readonly labels?: string | undefined;
  readonly progress?: (done: number, total: number | undefined) => void;
  readonly note?: (text: string) => void;
  readonly signal?: AbortSignal | undefined;
  /** As `openDataset` takes it: 0 where few of the pixels are read. */
  readonly memory?: number;
};

const plainNames = ["train", "test", "images", "image", "data", "photos", "pictures", "img", "val"];

/** A name for a dataset from its path: `clothing10/train` is `clothing10-train`. */
export function datasetName(data: string): string {
  const path = resolve(data);
  const clean = (name: string) =>
    name.replace(/\.[a-z0-9.]+$/i, "").replace(/[^\p{L}\p{N}_-]+/gu, "-");
  const [name, parent] = [clean(basename(path)), clean(basename(dirname(path)))];
  if (plainNames.includes(name.toLowerCase()) && parent !== "") return `${parent}-${name}`;
  return name === "" ? "images" : name;
}

/** Shorter side of stored images: enough for crops of the views asked for. */
export const packedSize = (imageSize = 0): number => Math.max(160, Math.round((imageSize * 8) / 7));

/** Where packed forms are kept in a folder, unless `CONTRAPOSE_CACHE` names a place for those of all. */
export function packedIn(folder: string): string {
  const place = process.env["CONTRAPOSE_CACHE"] ?? "";
  return place === "" ? join(folder, ".packed") : join(place, "packed");
}

function median(values: ArrayLike<number>): number {
  const sorted = Array.from(values).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

function toImages(dataset: PackedDataset, source?: ImagePlace): Images {
  const { pixels, labels, classes } = dataset;
  const numbers = Array.from({ length: dataset.count }, (_, i) => i);
  const sides = numbers.map((i) => Math.min(pixels.widths[i], pixels.heights[i]));
  const originals = numbers.map((i) => {
    const { originalWidth, originalHeight } = dataset.entry(i);
    return Math.min(originalWidth, originalHeight);
  });
  return {
    path: dataset.path,
    count: dataset.count,
    pixels,
    labels,
    classes,
    dataset,
    fingerprint: dataset.fingerprint,
    shortSide: median(sides),
    originalShortSide: median(originals),
    image: (index) => dataset.image(index),
    idOf: (index) => dataset.ids[index],
    ...(source && {
      originals: (indices: ArrayLike<number>) =>
        readOriginals(
          source,
          dataset.header,
          Array.from(indices, (index) => dataset.ids[index]),
        ),
    }),
    close: () => dataset.close(),
  };
}

function describeReport(report: PackReport, folder: string): string {
  const { images, packed, kept, skipped } = report;
  const bad = skipped.filter(({ ignored }) => ignored === undefined);
  const [first] = bad;
  const left =
    first === undefined
      ? ""
      : `; ${bad.length} skipped, as ${harmless(first.path)}: ${harmless(first.reason)} (contrapose pack lists all)`;
  const how = packed === 0 ? `${kept} unchanged` : `${packed} decoded, ${kept} unchanged`;
  return `packed     ${counted(images, "image")} (${how}) in ${folder}${left}`;
}

/** Images with the groups of a file joined to their own. Other groups, another fingerprint. */
function withGroups(images: Images, { groups: file, note }: OpenImagesOptions): Images {
  if (file === undefined) return images;
  const { dataset, fingerprint } = images;
  const { groups: joined, unknown } = joinGroups(dataset, readGroups(file));
  const groups = new Int32Array(new SharedArrayBuffer(4 * joined.length)); // workers read it too
  groups.set(joined);
  const several = joined.length - new Set(joined).size;
  const left = unknown === 0 ? "" : `; ${unknown} images of it are not in the set`;
  note?.(`groups     ${several} images more than groups, with those of ${file}${left}`);
  const entry = (index: number) => ({ ...dataset.entry(index), group: groups[index] });
  const hash = createHash("sha256").update(fingerprint).update(new Uint8Array(joined.buffer));
  return {
    ...images,
    pixels: { ...images.pixels, groups },
    dataset: { ...dataset, groups, entry },
    fingerprint: hash.digest("hex"),
  };
}

/** Images with the labels of a file in the place of their own. Other labels, another fingerprint. */
async function withLabels(images: Images, { labels: file, note }: OpenImagesOptions) {
  if (file === undefined) return images;
  const { dataset, fingerprint } = images;
  const given = await readGivenLabels(file, dataset.header.source.path, dataset.ids);
  const classes = [...new Set(given.labels.filter((label) => label !== undefined))].sort();
  const labels = Int32Array.from(given.labels, (label) =>
    label === undefined ? -1 : classes.indexOf(label),
  );
  const known = labels.reduce((sum, label) => sum + (label < 0 ? 0 : 1), 0);
  note?.(
    `labels     of ${known.toLocaleString("en-GB")} of ${counted(images.count, "image")}, ${counted(classes.length, "class", "classes")}, from ${file}`,
  );
  for (const text of given.notes) note?.(`note       ${text}`);
  const hash = createHash("sha256").update(fingerprint).update(JSON.stringify(given.labels));
  return {
    ...images,
    labels,
    classes,
    dataset: { ...dataset, labels, classes },
    fingerprint: hash.digest("hex"),
  };
}

/** Opens images of any kind: a packed dataset as it is, anything else through its packed form in the cache. */
export async function openImages(path: string, options: OpenImagesOptions): Promise<Images> {
  const images = await openPlain(path, options);
  try {
    return await withLabels(withGroups(images, options), options);
  } catch (error) {
    images.close();
    throw error;
  }
}

/** Says what packing did, where it did anything, and what of the place was not read. */
function sayReport(
  report: PackReport,
  { part, warned, notes }: Pick<ImagePlace, "part" | "warned" | "notes">,
  { note }: OpenImagesOptions,
): void {
  const { packed, skipped, conversions, folder } = report;
  const news = packed > 0 || skipped.some(({ ignored }) => ignored === undefined);
  if (news) note?.(describeReport(report, folder));
  if (news && conversions.length > 0) note?.(`converted  ${conversionLine(conversions)}`);
  const telling = news || part !== undefined || warned === true;
  if (telling && notes.length > 0) note?.(`note       ${notes.join("; ")}`);
}

/** A packed dataset as it is. Says where its deep pixels are shown otherwise than those an encoder learned from. */
async function openPacked(path: string, options: OpenImagesOptions): Promise<Images> {
  const { ranges = [], note } = options;
  const dataset = await openDataset(path, options);
  const { ranges: own = [] } = dataset.header;
  if (ranges.length > 0 && own.length > 0 && JSON.stringify(own) !== JSON.stringify(ranges)) {
    note?.(
      "note       images of more than 8 bits are shown by other ranges here than in the encoder's training; embed the images themselves, which packs them as it needs",
    );
  }
  return toImages(dataset);
}

async function openPlain(path: string, options: OpenImagesOptions): Promise<Images> {
  if (await isPackedDataset(path)) return openPacked(path, options);
  const { split = "auto", ranges, imageSize, signal } = options;
  const source = await detectSource(path, { split });
  const { part } = source;
  const size = packedSize(imageSize);
  const apart = split === "all" ? split : split === "auto" ? undefined : part;
  const place = apart === undefined ? path : join(path, apart);
  const mark = createHash("sha256").update(resolve(place)).digest("hex").slice(0, 8);
  const folder = join(options.cache, `${datasetName(path)}-${mark}-${size}px`);
  const overwrite = true; // what an earlier version packed otherwise is packed anew
  const report = await packDataset(
    source,
    folder,
    { size, overwrite, ...(ranges === undefined ? {} : { ranges: [...ranges] }) },
    {
      onProgress: ({ done, total }) => options.progress?.(done, total),
      note: (text) => options.note?.(`note       ${text}`),
      ...(signal === undefined ? {} : { signal }),
    },
  );
  if (report.images === 0) throw new DataError(`${quoted(path)} holds no image`);
  sayReport(report, source, options);
  return toImages(await openDataset(folder, options), source);
}
