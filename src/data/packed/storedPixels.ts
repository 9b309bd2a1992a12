import { closeSync } from "node:fs";
import { join } from "node:path";

import type { PixelImage } from "../../core/pixels.ts";
import { checkPixels, openShard, readRange } from "../../files/index.ts";
import { byteLength, shardName } from "./packedIndex.ts";
import type { StoredImage } from "./packedIndex.ts";

/** Reads stored images, and compares their checksums. The pixels of one are good until the next is read. */
export type StoredPixels = {
  read(image: Pick<StoredImage, "shard" | "offset" | "width" | "height" | "crc">): PixelImage;
  close(): void;
};

/** Opens the shards of a folder, each when it is first needed. */
export function storedPixels(folder: string): StoredPixels {
  const files = new Map<number, number>(); // descriptors by shard
  let buffer = new Uint8Array(0);
  return {
    read: ({ shard, offset, width, height, crc }) => {
      const path = join(folder, shardName(shard));
      const file = files.get(shard) ?? openShard(path);
      files.set(shard, file);
      const length = byteLength({ width, height });
      if (buffer.length < length) buffer = new Uint8Array(length);
      const data = buffer.subarray(0, length);
      readRange(file, path, data, offset);
      checkPixels(data, crc, path, offset);
      return { width, height, channels: 3, data };
    },
    close: () => files.forEach((file) => closeSync(file)),
  };
}
