import { stat } from "node:fs/promises";
import { join } from "node:path";

import { byteLength, shardName } from "./packedIndex.ts";
import type { StoredImage } from "./packedIndex.ts";
import { shardWriter } from "./shardWriter.ts";
import { storedPixels } from "./storedPixels.ts";

const DEAD_SHARE = 0.3; // of the bytes on disk

async function isWasteful(folder: string, images: readonly StoredImage[], shardBytes: number) {
  const shards = new Set(images.map(({ shard }) => shard));
  let onDisk = 0;
  for (const shard of shards) onDisk += (await stat(join(folder, shardName(shard)))).size;
  const live = images.reduce((sum, image) => sum + byteLength(image), 0);
  const many = shards.size > 2 * Math.ceil(live / shardBytes) + 8;
  return many || onDisk - live > DEAD_SHARE * onDisk;
}

/**
 * Moves images into new shards where much of the old ones is of images that are gone, or where many
 * small packings have left many small shards. Gives the images at their places.
 *
 * The old shards stay until the index no longer names them.
 */
export async function compact(
  folder: string,
  images: readonly StoredImage[],
  shardBytes: number,
): Promise<readonly StoredImage[]> {
  if (!(await isWasteful(folder, images, shardBytes))) return images;
  const last = images.reduce((highest, { shard }) => Math.max(highest, shard), 0);
  const writer = shardWriter(folder, last + 1, shardBytes);
  const pixels = storedPixels(folder);
  try {
    const moved: StoredImage[] = [];
    for (const image of images) {
      moved.push({ ...image, ...(await writer.append(pixels.read(image).data)) });
    }
    return moved;
  } finally {
    pixels.close();
    await writer.close();
  }
}
