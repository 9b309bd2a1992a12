import { crc32 } from "node:zlib";

import type { PixelImage } from "../../core/pixels.ts";
import { decodeImage } from "../pixels/decodeImage.ts";
import type { DecodedImage } from "../pixels/decodeBytes.ts";
import { resizeImage } from "../pixels/encodeImage.ts";
import type { PackOptions, PixelSettings } from "./packOptions.ts";
import type { StoredImage } from "./packedIndex.ts";
import { isBlank } from "../pixels/isBlank.ts";
import type { PixelRange } from "../pixels/ranges.ts";
import type { Box, RawEntry } from "../sources/source.ts";
import { storedSize } from "./storedSize.ts";

/** An image with what is known of its file; of records, which are pixels already, nothing is. */
type Decoded = Omit<DecodedImage, "file"> & Partial<Pick<DecodedImage, "file">>;

/** How deep pixels are shown, and what ends decoding. */
type Calls = {
  readonly ranges: readonly PixelRange[];
  readonly signal?: AbortSignal | undefined;
};

async function decoded(
  entry: RawEntry,
  settings: PixelSettings,
  options: PackOptions,
  { ranges, signal }: Calls,
): Promise<Decoded> {
  const content = await entry.load();
  if ("bytes" in content) {
    const { maxPixels, seconds, damaged } = options;
    const fit = settings;
    return decodeImage(
      content.bytes,
      { fit, maxPixels, seconds, damaged, ranges, signal },
      entry.id,
    );
  }
  const { width, height } = content.image;
  const size = storedSize(width, height, settings);
  const same = size.width === width && size.height === height;
  const image = same ? content.image : await resizeImage(content.image, size.width, size.height);
  return { image, originalWidth: width, originalHeight: height };
}

/** What is known of an image before it has a place. */
export type Prepared = {
  readonly pixels: Uint8Array;
  readonly image: Omit<StoredImage, "shard" | "offset">;
};

type Sizes = Pick<StoredImage, "width" | "height" | "originalWidth" | "originalHeight">;

function storedBox([left, top, width, height]: Box, sizes: Sizes): Box {
  const [x, y] = [sizes.width / sizes.originalWidth, sizes.height / sizes.originalHeight];
  const rounded = (value: number) => Math.round(value * 1000) / 1000;
  return [rounded(left * x), rounded(top * y), rounded(width * x), rounded(height * y)];
}

/** Facts of an entry that may change without its file: taken from the source at every packing. */
export function factsOf({ label, group, box, modified }: RawEntry, sizes: Sizes) {
  return {
    ...(label === undefined ? {} : { label }),
    ...(group === undefined ? {} : { sourceGroup: group }),
    ...(modified === undefined ? {} : { modified }),
    ...(box === undefined ? {} : { box: storedBox(box, sizes) }),
  };
}

/**
 * Decodes an entry and works out everything that is stored of it.
 */
export async function prepareImage(
  entry: RawEntry,
  settings: PixelSettings,
  options: PackOptions,
  calls: Calls,
): Promise<Prepared> {
  const { image, originalWidth, originalHeight, taken, file } = await decoded(
    entry,
    settings,
    options,
    calls,
  );
  const { width, height, data }: PixelImage = image;
  const sizes = { width, height, originalWidth, originalHeight };
  return {
    pixels: data,
    image: {
      id: entry.id,
      path: entry.path,
      stamp: entry.stamp,
      ...sizes,
      crc: crc32(data),
      ...(isBlank(image) ? { blank: true } : {}),
      ...file,
      ...(taken === undefined ? {} : { taken }),
      ...factsOf(entry, sizes),
    },
  };
}
