import { readFile } from "node:fs/promises";

import sharp from "sharp";

import { DataError } from "../core/errors.ts";
import type { PixelImage } from "../core/pixels.ts";
import { explained } from "../files/index.ts";
import { exifTime } from "./exifTime.ts";
import { sniff, whyNoImage } from "./sniff.ts";
import { messageOf } from "./source.ts";

sharp.cache(false); // every image is seen once
sharp.concurrency(1); // images side by side, not threads within one

/** How images are decoded. */
export type DecodeOptions = {
  /** Gives the size to store from the upright size; the same by default. */
  readonly fit?: (width: number, height: number) => { width: number; height: number };
  readonly maxPixels?: number; // larger images are refused; 268 million by default
  readonly seconds?: number; // time for one image; 60 by default
  /** `accept` takes what can be decoded of a broken file; `reject` (default) refuses it. */
  readonly damaged?: "reject" | "accept";
};

/** A decoded image with what its file said of it. */
export type DecodedImage = {
  readonly image: PixelImage;
  readonly originalWidth: number; // pixels, upright
  readonly originalHeight: number; // pixels, upright
  readonly taken?: number; // milliseconds since 1970 by the camera's clock
};

const LARGE = 24e6; // pixels; such images are decoded one at a time

let large: Promise<unknown> = Promise.resolve();

function oneAtATime<T>(run: () => Promise<T>): Promise<T> {
  const mine = large.then(run, run);
  large = mine.catch(() => undefined);
  return mine;
}

function threeChannels(data: Uint8Array, pixels: number, channels: number): Uint8Array {
  if (channels === 3) return data;
  const rgb = new Uint8Array(3 * pixels);
  for (let i = 0; i < pixels; i++) {
    for (let c = 0; c < 3; c++) rgb[3 * i + c] = data[i * channels + (channels >= 3 ? c : 0)];
  }
  return rgb;
}

async function decode(bytes: Uint8Array, options: DecodeOptions): Promise<DecodedImage> {
  const { maxPixels = 268402689, seconds = 60, damaged = "reject" } = options;
  const file = sharp(bytes, {
    failOn: damaged === "reject" ? "warning" : "none",
    limitInputPixels: maxPixels,
    sequentialRead: true,
  });
  const { autoOrient, exif } = await file.metadata();
  const { width, height } = autoOrient;
  const size = options.fit?.(width, height) ?? { width, height };
  const taken = exif === undefined ? undefined : exifTime(exif);
  const run = async (): Promise<DecodedImage> => {
    let upright = file.autoOrient();
    if (size.width !== width || size.height !== height) {
      upright = upright.resize(size.width, size.height, { fit: "fill" });
    }
    const { data, info } = await upright
      .flatten({ background: "#ffffff" })
      .toColourspace("srgb")
      .removeAlpha()
      .timeout({ seconds })
      .raw({ depth: "uchar" })
      .toBuffer({ resolveWithObject: true });
    const rgb = threeChannels(data, info.width * info.height, info.channels);
    const image: PixelImage = { width: info.width, height: info.height, channels: 3, data: rgb };
    const original = { originalWidth: width, originalHeight: height };
    return { image, ...original, ...(taken === undefined ? {} : { taken }) };
  };
  return width * height > LARGE ? oneAtATime(run) : run();
}

function reason(error: unknown, bytes: Uint8Array): string {
  const known = whyNoImage(bytes);
  if (known !== undefined) return known;
  const [first = "unknown error"] = messageOf(error).split("\n");
  const plain = first.trim().replace(/^Input buffer/i, "the file");
  if (/pixel limit/.test(plain)) return "it has more pixels than are allowed";
  if (/timeout/i.test(plain)) return "decoding it takes too long";
  const kind = sniff(bytes.subarray(0, 4096));
  if (kind === "unknown") return "it is in no known image format";
  return `the ${kind.toUpperCase()} data is damaged or cut short (${plain.replace(/:$/, "")})`;
}

/**
 * Decodes an image file to upright 8-bit sRGB on white, its first frame only.
 *
 * @param file bytes, or the path of a file
 * @param name what the file is called in errors; the path by default
 */
export async function decodeImage(
  file: Uint8Array | string,
  options: DecodeOptions = {},
  name = typeof file === "string" ? file : "image",
): Promise<DecodedImage> {
  const bytes =
    typeof file === "string" ? await explained("read", file, () => readFile(file)) : file;
  try {
    return await decode(bytes, options);
  } catch (error) {
    throw new DataError(`${JSON.stringify(name)}: ${reason(error, bytes)}`, undefined, {
      cause: error,
    });
  }
}
