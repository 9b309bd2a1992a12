import { open, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import { counted } from "../../core/counted.ts";
import { DataError } from "../../core/errors.ts";
import { quoted } from "../../core/quote.ts";
import type { PixelImage } from "../../core/pixels.ts";
import { chooseFiles, recordEntries } from "./recordFiles.ts";
import type { RecordEntry } from "./recordFiles.ts";
import { pieces, readingError, readRecords } from "./records.ts";
import type { ImageSource, Skipped, SourceOptions } from "./source.ts";

/** Whether a file has the name of IDX images, as against labels. */
export const isIdxImages = (path: string): boolean =>
  /images.*idx[34]|idx[34]/i.test(basename(path));

async function firstBytes(path: string, length: number): Promise<Uint8Array> {
  if (!/gz$/i.test(path)) {
    const file = await open(path, "r");
    const { buffer, bytesRead } = await file
      .read(Buffer.alloc(length), 0, length, 0)
      .finally(() => file.close());
    return buffer.subarray(0, bytesRead);
  }
  for await (const piece of pieces(path)) return piece.subarray(0, length);
  return new Uint8Array(0);
}

/** Sizes of an IDX file of bytes from its first bytes: images, rows, columns (channels). */
function sizesOf(path: string, bytes: Uint8Array, dimensions: readonly number[]): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = bytes.length >= 4 ? view.getUint32(0) : 0;
  const given = magic - 0x0800;
  if (!dimensions.includes(given) || bytes.length < 4 + 4 * given) {
    throw new DataError(
      `${quoted(path)} starts with 0x${magic.toString(16).padStart(8, "0")}, expected ${dimensions.map((n) => `0x0000080${n}`).join(" or ")} (IDX, unsigned bytes)`,
      "the file is of another format",
    );
  }
  return Array.from({ length: given }, (_, i) => view.getUint32(4 + 4 * i));
}

async function labelsFile(images: string): Promise<string | undefined> {
  const name = basename(images)
    .replace(/images/i, "labels")
    .replace(/idx[34]/i, "idx1");
  const other = /\.gz$/i.test(name) ? name.slice(0, -3) : `${name}.gz`;
  for (const candidate of [name, other]) {
    const path = join(dirname(images), candidate);
    if (candidate !== basename(images) && (await stat(path).catch(() => undefined))) return path;
  }
  return undefined;
}

/** Labels of `count` images, from the file beside them. */
async function readLabels(images: string, count: number): Promise<Uint8Array | undefined> {
  const path = await labelsFile(images);
  if (path === undefined) return undefined;
  const batches: Uint8Array[] = [];
  let given = 0;
  const length = (header: Uint8Array) => {
    const [claimed] = sizesOf(path, header, [1]);
    if (claimed !== count) throw otherLabels(images, count, claimed);
    return 1;
  };
  for await (const { bytes } of readRecords(path, 8, length)) {
    batches.push(Uint8Array.from(bytes));
    given += bytes.length;
    if (given > count) break;
  }
  if (given === count) return Buffer.concat(batches);
  throw otherLabels(images, count, given > count ? "more" : given);
}

const otherLabels = (images: string, count: number, given: number | string) =>
  new DataError(
    `${quoted(images)} has ${counted(count, "image")}, the file of labels beside it ${given}`,
    "put the files that belong together into one folder",
  );

function toImage(bytes: Uint8Array, width: number, height: number, channels: number): PixelImage {
  const data = new Uint8Array(width * height * 3); // [height, width, 3]
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) data[3 * i + c] = bytes[i * channels + (channels === 3 ? c : 0)];
  }
  return { width, height, channels: 3, data };
}

async function* read(file: string, useLabels: boolean): AsyncGenerator<RecordEntry> {
  const start = await firstBytes(file, 20).catch((error: unknown) => {
    throw readingError(error, file);
  });
  const sizes = sizesOf(file, start, [3, 4]);
  const [count, height, width, channels = 1] = sizes;
  const size = width * height * channels;
  if (size === 0) throw new DataError(`${quoted(file)} holds images of no pixels`);
  if (channels !== 1 && channels !== 3) {
    throw new DataError(
      `${quoted(file)} holds images of ${channels} channels, expected 1 (grey) or 3 (red, green, blue)`,
    );
  }
  const labels = useLabels ? await readLabels(file, count) : undefined;
  let given = 0;
  for await (const { first, bytes } of readRecords(file, 4 + 4 * sizes.length, () => size)) {
    for (let at = 0; at < bytes.length; at += size, given++) {
      const index = first + at / size;
      if (index === count) throw otherCount(file, `more than ${count}`, count);
      const pixels = bytes.subarray(at, at + size);
      yield {
        index,
        ...(labels === undefined ? {} : { label: String(labels[index]) }),
        size,
        load: () => Promise.resolve({ image: toImage(pixels, width, height, channels) }),
      };
    }
  }
  if (given !== count) throw otherCount(file, String(given), count);
}

const otherCount = (file: string, given: string, count: number) =>
  new DataError(`${quoted(file)} holds ${given} images, its header says ${count}`);

/**
 * Images in the IDX format of MNIST, also gzipped: grey (or in colour, with a fourth dimension). Labels
 * come from the file whose name has "labels" for "images".
 *
 * @param path of the folder, or of one file
 * @param files of images
 */
export function idxSource(
  path: string,
  files: readonly string[],
  options: SourceOptions = {},
): ImageSource {
  const { kept, about } = chooseFiles(path, files, options);
  const useLabels = options.labels !== "none";
  const entries = (skip: (skipped: Skipped) => void) =>
    recordEntries(path, kept, (file) => read(file, useLabels), skip);
  return { kind: "idx", path, ...about, entries };
}
