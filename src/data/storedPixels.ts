import { closeSync, openSync, readSync } from "node:fs";
import { join } from "node:path";

import { DataError } from "../core/errors.ts";
import type { PixelImage } from "../core/pixels.ts";
import { fileError } from "../files/index.ts";
import { byteLength, shardName } from "./packedIndex.ts";
import type { StoredImage } from "./packedIndex.ts";

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
        `dataset: ${JSON.stringify(path)} ends at byte ${offset + at}, expected ${offset + into.length} bytes or more`,
        "the dataset is damaged; pack the images again",
      );
    }
    at += got;
  }
}

/** Reads stored images. The pixels of one are good until the next is read. */
export type StoredPixels = {
  read(image: Pick<StoredImage, "shard" | "offset" | "width" | "height">): PixelImage;
  close(): void;
};

/** Opens the shards of a folder, each when it is first needed. */
export function storedPixels(folder: string): StoredPixels {
  const files = new Map<number, number>(); // descriptors by shard
  let buffer = new Uint8Array(0);
  return {
    read: ({ shard, offset, width, height }) => {
      const path = join(folder, shardName(shard));
      const file = files.get(shard) ?? openShard(path);
      files.set(shard, file);
      const length = byteLength({ width, height });
      if (buffer.length < length) buffer = new Uint8Array(length);
      const data = buffer.subarray(0, length);
      readRange(file, path, data, offset);
      return { width, height, channels: 3, data };
    },
    close: () => files.forEach((file) => closeSync(file)),
  };
}
