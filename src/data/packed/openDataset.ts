import { closeSync } from "node:fs";
import { join, resolve } from "node:path";

import { DataError } from "../../core/errors.ts";
import { quoted } from "../../core/quote.ts";
import type { Checksums, PixelImage, PixelSource } from "../../core/pixels.ts";
import { checkPixels, openPixels, openShard, readRange } from "../../files/index.ts";
import {
  byteLength,
  checkShards,
  headerName,
  readEntries,
  readHeader,
  shardName,
} from "./packedIndex.ts";
import type { PackedHeader, StoredImage } from "./packedIndex.ts";
import type { Box } from "../sources/source.ts";

/** What a packed dataset says of one of its images. */
export type ImageEntry = {
  readonly id: string; // stays when the dataset is packed again
  readonly path: string; // of its file, from the source's folder
  readonly label?: number; // number of its class
  readonly group: number; // images of one group are of one thing
  readonly width: number; // pixels, stored
  readonly height: number; // pixels, stored
  readonly originalWidth: number; // pixels
  readonly originalHeight: number; // pixels
  readonly box?: Box; // in stored pixels
  readonly content: string; // of the stored pixels: other pixels, another text
  readonly blank?: true; // all stored pixels are of one colour
};

/** Packed images, opened. Image i has row i of every table. */
export type PackedDataset = {
  readonly path: string; // absolute
  readonly count: number;
  readonly width?: number; // pixels; where all images have the same
  readonly height?: number;
  readonly ids: readonly string[];
  readonly labels?: Int32Array; // [count]; -1 for images without a label
  readonly classes?: readonly string[];
  readonly groups: Int32Array; // [count]
  readonly fingerprint: string; // of ids, labels, groups and pixels
  readonly header: PackedHeader;
  readonly stored: readonly StoredImage[]; // [count]; all that is written down of each
  /** Where the pixels are, for worker threads: in shared memory, or in files. */
  readonly pixels: PixelSource;
  entry(index: number): ImageEntry;
  /** Pixels of an image; written into `into` where it is given and the pixels are read from a file. */
  image(index: number, into?: Uint8Array): PixelImage;
  close(): void;
};

/** Choices about how a dataset is opened. */
export type OpenOptions = {
  /** Datasets of at most this many bytes are held in memory; 1 GiB by default, 0 reads from files. */
  readonly memory?: number;
};

const shared = <T extends Int32Array | Uint32Array | Float64Array>(
  make: new (buffer: SharedArrayBuffer) => T,
  bytesEach: number,
  values: readonly number[],
): T => {
  const table = new make(new SharedArrayBuffer(values.length * bytesEach));
  table.set(values);
  return table;
};

const ints = (values: readonly number[]) => shared(Int32Array, 4, values);

function loadShards(paths: readonly string[], sizes: readonly number[]): SharedArrayBuffer[] {
  return paths.map((path, i) => {
    const buffer = new SharedArrayBuffer(sizes[i]);
    const file = openShard(path);
    try {
      readRange(file, path, new Uint8Array(buffer), 0);
    } finally {
      closeSync(file);
    }
    return buffer;
  });
}

const checksumsOf = (images: readonly StoredImage[]): Checksums => ({
  crc: shared(
    Uint32Array,
    4,
    images.map(({ crc }) => crc),
  ),
  compared: new Uint8Array(new SharedArrayBuffer(images.length)),
});

function pixelSource(
  folder: string,
  header: PackedHeader,
  images: readonly StoredImage[],
  memory: number,
): PixelSource {
  const segments = new Map(header.shards.map(({ shard }, i) => [shard, i]));
  const sizes = header.shards.map(({ bytes }) => bytes);
  const paths = header.shards.map(({ shard }) => join(folder, shardName(shard)));
  const layout = {
    count: images.length,
    segments: ints(images.map(({ shard }) => segments.get(shard) ?? -1)),
    offsets: shared(
      Float64Array,
      8,
      images.map(({ offset }) => offset),
    ),
    widths: ints(images.map(({ width }) => width)),
    heights: ints(images.map(({ height }) => height)),
    groups: ints(images.map(({ group }, i) => group ?? i)),
  };
  const total = sizes.reduce((sum, bytes) => sum + bytes, 0);
  if (total > memory) return { kind: "files", ...layout, paths, checksums: checksumsOf(images) };
  const buffers = loadShards(paths, sizes);
  images.forEach((image, i) => {
    const segment = layout.segments[i];
    const bytes = new Uint8Array(buffers[segment], image.offset, byteLength(image));
    checkPixels(bytes, image.crc, paths[segment], image.offset);
  });
  return { kind: "shared", ...layout, buffers };
}

function common(values: readonly number[]): number | undefined {
  return values.every((value) => value === values[0]) ? values[0] : undefined;
}

function labelsOf(images: readonly StoredImage[], classes: readonly string[] | undefined) {
  if (classes === undefined || classes.length === 0) return undefined;
  const numbers = new Map(classes.map((name, i) => [name, i]));
  return ints(images.map(({ label }) => (label === undefined ? -1 : (numbers.get(label) ?? -1))));
}

function toEntry(image: StoredImage, index: number, labels: Int32Array | undefined): ImageEntry {
  const { id, path, width, height, originalWidth, originalHeight, group = index } = image;
  const { box, crc, blank } = image;
  const label = labels?.[index] ?? -1;
  return {
    id,
    path,
    group,
    width,
    height,
    originalWidth,
    originalHeight,
    content: `${crc.toString(16).padStart(8, "0")}-${width}x${height}`,
    ...(blank === undefined ? {} : { blank }),
    ...(label < 0 ? {} : { label }),
    ...(box === undefined ? {} : { box }),
  };
}

function checkIndex(index: number, count: number): void {
  if (Number.isInteger(index) && index >= 0 && index < count) return;
  throw new RangeError(`dataset: image ${index} does not exist, there are ${count}`);
}

/**
 * Opens a packed dataset. Checks that every file is there and as long as it should be, and the checksum of every
 * image: now of those that are held in memory, else when it is read first. Throws `DataError`.
 */
export async function openDataset(
  folder: string,
  { memory = 2 ** 30 }: OpenOptions = {},
): Promise<PackedDataset> {
  const path = resolve(folder);
  const header = await readHeader(path);
  if (header === undefined) {
    throw new DataError(
      `dataset: ${quoted(folder)} is not a packed dataset (there is no ${headerName} in it)`,
      "pack the images first: contrapose pack <images> --out <folder>",
    );
  }
  await checkShards(path, header);
  const images = await readEntries(path, header);
  const pixels = pixelSource(path, header, images, memory);
  const reader = openPixels(pixels);
  const labels = labelsOf(images, header.classes);
  const [width, height] = [common(images.map((i) => i.width)), common(images.map((i) => i.height))];
  return {
    path,
    count: images.length,
    header,
    stored: images,
    pixels,
    fingerprint: header.fingerprint,
    ...(width === undefined ? {} : { width }),
    ...(height === undefined ? {} : { height }),
    ...(labels === undefined ? {} : { labels, classes: header.classes }),
    ids: images.map(({ id }) => id),
    groups: pixels.groups!,
    entry: (index) => {
      checkIndex(index, images.length);
      return toEntry(images[index], index, labels);
    },
    image: (index, into) => {
      checkIndex(index, images.length);
      return reader.image(index, into ?? new Uint8Array(byteLength(images[index])));
    },
    close: () => reader.close(),
  };
}

/** Whether a path is the folder of a packed dataset. */
export async function isPackedDataset(folder: string): Promise<boolean> {
  return (await readHeader(resolve(folder))) !== undefined;
}
