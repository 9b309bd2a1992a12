import sharp from "sharp";
import type { Metadata, Sharp } from "sharp";

import { DataError } from "../../core/errors.ts";
import type { PixelImage } from "../../core/pixels.ts";
import { isDeep, readDeep } from "./deepPixels.ts";
import type { DeepFacts } from "./deepPixels.ts";
import { exifTime } from "./exifTime.ts";
import { framesOf } from "./frames.ts";
import { groundOf, isTransparent, layOver } from "./ground.ts";
import { isLossless } from "./lossless.ts";
import { plainJpeg } from "./plainJpeg.ts";
import type { PixelRange } from "./ranges.ts";
import { sniff } from "./sniff.ts";
import { storedSize } from "../packed/storedSize.ts";
import type { StoredSides } from "../packed/storedSize.ts";

sharp.cache(false); // every image is seen once
sharp.concurrency(1); // images side by side, not threads within one

/** How the bytes of an image file become pixels. */
export type DecodeSettings = {
  readonly fit?: StoredSides | undefined; // the size to store; that of the file by default
  readonly maxPixels: number; // larger images are refused
  readonly seconds: number; // time for one image
  readonly damaged: "reject" | "accept";
  readonly ranges: readonly PixelRange[]; // of deep pixels; by those of the image itself without one
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
  readonly deep?: DeepFacts; // where pixels have more than 8 bits
  readonly damaged?: true; // only what could be decoded is read
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
  for (let i = 0; i < rgb.length; i++) rgb[i] = data[Math.floor(i / 3)];
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

/** What is asked of the header of a file. */
type About = Pick<
  Metadata,
  "width" | "height" | "autoOrient" | "channels" | "hasAlpha" | "space" | "depth"
> &
  Partial<Pick<Metadata, "bitsPerSample" | "exif" | "pages">>;

/** The header of a plain JPEG file, whose few facts need no decoder; undefined for others. */
function plainAbout(bytes: Uint8Array): About | undefined {
  const size = plainJpeg(bytes);
  if (size === undefined) return undefined;
  return { ...size, autoOrient: size, channels: 3, hasAlpha: false, space: "srgb", depth: "uchar" };
}

/** Throws where pixels are of a kind that the decoder gets wrong. */
function checkKind({ channels, hasAlpha, space, depth, bitsPerSample }: About): void {
  const colours = hasAlpha ? channels - 1 : channels;
  if (colours !== 1 && colours !== 3 && !(colours === 4 && space === "cmyk")) {
    throw new DataError(
      `it has ${channels} channels, expected grey or RGB, with or without transparency`,
    );
  }
  if (depth === "float" && bitsPerSample === 16) {
    throw new DataError("its numbers are floats of 16 bits; convert them to floats of 32 bits");
  }
}

type Size = { width: number; height: number };

const resized = (image: Sharp, from: Size, to: Size): Sharp =>
  from.width === to.width && from.height === to.height
    ? image
    : image.resize(to.width, to.height, { fit: "fill" });

/** Pixels of 8 bits, [height, width, channels], of the size to store. */
async function readPixels(
  file: Sharp,
  about: About & { kind: string; stored: Size },
  { seconds, ranges }: DecodeSettings,
): Promise<Raw & { deep?: DeepFacts }> {
  const { depth, space, kind, stored, autoOrient, hasAlpha } = about;
  const upright = file.autoOrient().timeout({ seconds: Math.ceil(seconds) });
  const bytes = (image: Sharp) =>
    image
      .toColourspace("srgb")
      .timeout({ seconds: Math.ceil(seconds) })
      .raw({ depth: "uchar" })
      .toBuffer({ resolveWithObject: true });
  if (!isDeep(kind, depth, space)) {
    const { data, info } = await bytes(resized(upright, autoOrient, stored));
    return { ...info, data };
  }
  const { facts, ...whole } = await readDeep(upright, { depth, space, hasAlpha }, ranges);
  const raw = { width: whole.width, height: whole.height, channels: hasAlpha ? 4 : 3 } as const;
  const { data, info } = await bytes(resized(sharp(whole.data, { raw }), whole, stored));
  return { ...info, data, deep: facts };
}

const DEFLATED = 1032; // bytes that a byte of deflate can stand for at most (zlib, "Technical Details")
const CHANNELS: Record<number, number> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }; // of a PNG, by colour type

/** Throws where a PNG is shorter than its pixels can be made, so that nobody waits for what cannot come. */
function checkLength(png: Uint8Array): void {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  if (png.length < 26) return;
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  const row = Math.ceil((width * png[24] * (CHANNELS[png[25]] ?? 1)) / 8);
  if (png.length >= (height * row) / DEFLATED) return;
  throw new DataError(
    `the PNG data is damaged or cut short: ${width} × ${height} pixels cannot be in ${png.length} bytes`,
  );
}

type Opened = { bytes: Uint8Array; kind: string; file: Sharp; metadata: About };

async function open(bytes: Uint8Array, settings: DecodeSettings): Promise<Opened> {
  const kind = sniff(bytes);
  const file = sharp(bytes, {
    failOn: settings.damaged === "reject" ? "warning" : "none",
    limitInputPixels: settings.maxPixels,
    sequentialRead: true,
  });
  const metadata = plainAbout(bytes) ?? (await file.metadata());
  if (kind === "png") checkLength(bytes);
  checkKind(metadata);
  return { bytes, kind, file, metadata };
}

async function read(opened: Opened, settings: DecodeSettings): Promise<DecodedImage> {
  const { bytes, kind, file, metadata } = opened;
  const { width, height } = metadata.autoOrient;
  const { fit } = settings;
  const stored = fit === undefined ? { width, height } : storedSize(width, height, fit);
  const { deep, ...raw } = await readPixels(file, { ...metadata, kind, stored }, settings);
  const { image, ground } = opaque(raw);
  const { exif, space, pages } = metadata;
  const taken = exif === undefined ? undefined : exifTime(exif);
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
      ...(deep === undefined ? {} : { deep }),
    },
  };
}

/** Decodes the first frame of an image file to upright 8-bit sRGB, and says what it found. */
export const decodeBytes = async (bytes: Uint8Array, settings: DecodeSettings) =>
  read(await open(bytes, settings), settings);

const LARGE = 24e6; // pixels
const LONG = 65_535; // pixels of a side

/**
 * The same, or undefined where decoding may take long while nothing can interrupt it: large and very long
 * images, and drawings, of which even the size may take long to know.
 */
export async function decodeLight(
  bytes: Uint8Array,
  settings: DecodeSettings,
): Promise<DecodedImage | undefined> {
  if (sniff(bytes) === "svg") return undefined;
  const opened = await open(bytes, settings);
  const { width, height } = opened.metadata;
  if (width * height > LARGE || Math.max(width, height) > LONG) return undefined;
  return read(opened, settings);
}
