import { closeSync, openSync, readSync } from "node:fs";
import { crc32 } from "node:zlib";

import { DataError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";
import type { PixelImage, PixelSource } from "../core/pixels.ts";
import { fileError } from "./fileError.ts";

const HINT = "the dataset is damaged or still being written; pack it again with --overwrite";

/** Opens a file of pixels for reading. */
export function openShard(path: string): number {
  try {
    return openSync(path, "r");
  } catch (error) {
    throw fileError(error, "read", path);
  }
}

/** Fills `into` with the bytes of an open file from `offset`. */
export function readRange(file: number, path: string, into: Uint8Array, offset: number): void {
  for (let at = 0; at < into.length;) {
    const got = readSync(file, into, at, Math.min(into.length - at, 1 << 30), offset + at);
    if (got === 0) {
      throw new DataError(
        `pixels: shard ${quoted(path)} ends at byte ${offset + at}, expected at least ${offset + into.length} bytes`,
        HINT,
      );
    }
    at += got;
  }
}

/** Throws `DataError` where pixels are not those that were stored. */
export function checkPixels(pixels: Uint8Array, crc: number, path: string, offset: number): void {
  if (crc32(pixels) === crc) return;
  throw new DataError(
    `pixels: shard ${quoted(path)} is damaged: the image at byte ${offset} has another checksum than when it was stored`,
    HINT,
  );
}

/** Gives images of a source by number; their pixels are in `into`, else good until the next one is asked for. */
export type PixelReader = { image(index: number, into?: Uint8Array): PixelImage; close(): void };

function fileBytes(paths: readonly string[]) {
  const files = new Map<number, number>(); // descriptors by number of the shard
  let bytes: Uint8Array = new Uint8Array(0);
  const read = (segment: number, offset: number, length: number, into = bytes): Uint8Array => {
    const file = files.get(segment) ?? openShard(paths[segment]);
    files.set(segment, file);
    if (into.length < length) into = bytes = new Uint8Array(length);
    const data = into.subarray(0, length);
    readRange(file, paths[segment], data, offset);
    return data;
  };
  return { read, close: () => files.forEach((file) => closeSync(file)) };
}

function sharedBytes(buffers: readonly SharedArrayBuffer[]) {
  const read = (segment: number, offset: number, length: number) =>
    new Uint8Array(buffers[segment], offset, length);
  return { read, close: () => undefined };
}

/**
 * Opens a source of pixels in this thread. Files are opened when first needed, and checksums compared where an
 * image is read for the first time in any thread.
 */
export function openPixels(source: PixelSource): PixelReader {
  const bytes = source.kind === "files" ? fileBytes(source.paths) : sharedBytes(source.buffers);
  const { widths, heights, segments, offsets } = source;
  const checksums = source.kind === "files" ? source.checksums : undefined;
  const image = (index: number, into?: Uint8Array): PixelImage => {
    const [width, height, segment, offset] = [widths, heights, segments, offsets].map(
      (t) => t[index],
    );
    const data = bytes.read(segment, offset, width * height * 3, into);
    if (source.kind === "files" && checksums?.compared[index] === 0) {
      checkPixels(data, checksums.crc[index], source.paths[segment], offset);
      checksums.compared[index] = 1;
    }
    return { width, height, channels: 3, data };
  };
  return { image, close: bytes.close };
}
