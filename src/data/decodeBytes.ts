import sharp from "sharp";

import type { PixelImage } from "../core/pixels.ts";
import { exifTime } from "./exifTime.ts";
import { framesOf } from "./frames.ts";
import { groundOf, isTransparent, layOver } from "./ground.ts";
import { isLossless } from "./lossless.ts";
import { sniff } from "./sniff.ts";
import { storedSize } from "./storedSize.ts";
import type { StoredSides } from "./storedSize.ts";

sharp.cache(false); // every image is seen once
sharp.concurrency(1); // images side by side, not threads within one

/** How the bytes of an image file become pixels. */
export type DecodeSettings = {
  readonly fit?: StoredSides | undefined; // the size to store; that of the file by default
  readonly maxPixels: number; // larger images are refused
  readonly seconds: number; // time for one image
  readonly damaged: "reject" | "accept";
};

/** What an image file says of its pixels, and what was done to read them. */
export type FileFacts = {
  readonly format: string; // of the file, as jpeg
  readonly bytes: number; // of the file
  readonly lossless: boolean; // whether the format keeps every pixel
  readonly space: string; // of colours, as cmyk
  readonly frames?: number; // of an animation, or pages, where there are several: the first is read
  readonly framesHash?: string; // of all frames, 8 hexadecimal digits
  readonly ground?: number; // grey level that was laid under transparent pixels
};

/** A decoded image with what its file said of it. */
export type DecodedImage = {
  readonly image: PixelImage;
  readonly originalWidth: number; // pixels, upright
  readonly originalHeight: number; // pixels, upright
  readonly taken?: number; // milliseconds since 1970 by the camera's clock
  readonly file: FileFacts;
};

type Raw = { data: Uint8Array; width: number; height: number; channels: number };

function threeChannels({ data, width, height, channels }: Raw): Uint8Array {
  if (channels === 3) return data;
  const rgb = new Uint8Array(3 * width * height);
  for (let i = 0; i < rgb.length; i++) rgb[i] = data[Math.floor(i / 3) * channels];
  return rgb;
}

/** Pixels on a ground where they need one, with its grey level. */
function opaque(raw: Raw): { image: PixelImage; ground?: number } {
  const { data, width, height, channels } = raw;
  const size = { width, height, channels: 3 } as const;
  if (channels !== 4) return { image: { ...size, data: threeChannels(raw) } };
  if (!isTransparent(data)) return { image: { ...size, data: layOver(data, 0) } };
  const ground = groundOf(data, width);
  return { image: { ...size, data: layOver(data, ground) }, ground };
}

/** Decodes the first frame of an image file to upright 8-bit sRGB, and says what it found. */
export async function decodeBytes(
  bytes: Uint8Array,
  { fit, maxPixels, seconds, damaged }: DecodeSettings,
): Promise<DecodedImage> {
  const file = sharp(bytes, {
    failOn: damaged === "reject" ? "warning" : "none",
    limitInputPixels: maxPixels,
    sequentialRead: true,
  });
  const { autoOrient, exif, space, pages } = await file.metadata();
  const { width, height } = autoOrient;
  const size = fit === undefined ? { width, height } : storedSize(width, height, fit);
  const upright = file.autoOrient();
  if (size.width !== width || size.height !== height) {
    upright.resize(size.width, size.height, { fit: "fill" });
  }
  const { data, info } = await upright
    .toColourspace("srgb")
    .timeout({ seconds })
    .raw({ depth: "uchar" })
    .toBuffer({ resolveWithObject: true });
  const { image, ground } = opaque({ ...info, data });
  const taken = exif === undefined ? undefined : exifTime(exif);
  const kind = sniff(bytes);
  return {
    image,
    originalWidth: width,
    originalHeight: height,
    ...(taken === undefined ? {} : { taken }),
    file: {
      format: kind,
      bytes: bytes.length,
      lossless: isLossless(bytes, kind),
      space,
      ...(await framesOf(bytes, kind, { pages, pixels: width * height })),
      ...(ground === undefined ? {} : { ground }),
    },
  };
}
