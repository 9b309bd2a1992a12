import { closeSync, openSync, readSync } from "node:fs";

import { DataError } from "../core/errors.ts";
import type { PixelImage, PixelSource } from "../core/pixels.ts";

/** Gives images of a source by number. An image's pixels are good until the next one is asked for. */
export type PixelReader = { image(index: number): PixelImage; close(): void };

function fileBytes(paths: readonly string[]) {
  const files = new Map<number, number>(); // descriptors by number of the shard
  let bytes = new Uint8Array(0);
  const read = (segment: number, offset: number, length: number): Uint8Array => {
    const path = paths[segment];
    let file = files.get(segment);
    if (file === undefined) {
      try {
        file = openSync(path, "r");
      } catch (cause) {
        const why = cause instanceof Error ? cause.message : String(cause);
        throw new DataError(
          `pixels: shard ${JSON.stringify(path)} cannot be read: ${why}`,
          undefined,
          { cause },
        );
      }
      files.set(segment, file);
    }
    if (bytes.length < length) bytes = new Uint8Array(length);
    let got = 0;
    while (got < length) {
      const more = readSync(file, bytes, got, length - got, offset + got);
      if (more === 0) {
        throw new DataError(
          `pixels: shard ${JSON.stringify(path)} ends at byte ${offset + got}, expected at least ${offset + length} bytes`,
          "the dataset is damaged or still being written; pack it again",
        );
      }
      got += more;
    }
    return bytes.subarray(0, length);
  };
  return { read, close: () => files.forEach((file) => closeSync(file)) };
}

function sharedBytes(buffers: readonly SharedArrayBuffer[]) {
  const read = (segment: number, offset: number, length: number) =>
    new Uint8Array(buffers[segment], offset, length);
  return { read, close: () => undefined };
}

/** Opens a source of pixels in this thread. Files are opened when first needed. */
export function openPixels(source: PixelSource): PixelReader {
  const bytes = source.kind === "files" ? fileBytes(source.paths) : sharedBytes(source.buffers);
  const image = (index: number): PixelImage => {
    const [width, height] = [source.widths[index], source.heights[index]];
    const data = bytes.read(source.segments[index], source.offsets[index], width * height * 3);
    return { width, height, channels: 3, data };
  };
  return { image, close: bytes.close };
}
