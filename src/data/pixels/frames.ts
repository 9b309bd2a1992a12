import { crc32 } from "node:zlib";

import sharp from "sharp";

/** Pictures of a file beyond the first, which is the one that is read. */
export type Frames = {
  readonly frames: number; // the first counted
  readonly framesHash: string; // of all of them, 8 hexadecimal digits
};

const DECODED = 24e6; // pixels of all frames that are decoded for their hash; of more, the file is hashed

/** Frames that a PNG says it has (APNG); 1 for others. The count stands in a chunk before the pixels. */
function pngFrames(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 8; at + 12 <= bytes.length; at += 12 + view.getUint32(at)) {
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (type === "acTL") return view.getUint32(at + 8);
    if (type === "IDAT") return 1;
  }
  return 1;
}

async function pixelsHash(bytes: Uint8Array, pages: number): Promise<number> {
  const file = sharp(bytes, { pages, failOn: "none", limitInputPixels: DECODED });
  const { data } = await file.raw({ depth: "uchar" }).toBuffer({ resolveWithObject: true });
  return crc32(data);
}

/**
 * Frames of an animation, or pages, where a file has several. Their hash is of the decoded pixels where
 * these are not too many and can be decoded together, else of the file.
 *
 * @param pages as the decoder counts them; it sees one in an animated PNG
 */
export async function framesOf(
  bytes: Uint8Array,
  kind: string,
  { pages = 1, pixels }: { pages?: number | undefined; pixels: number },
): Promise<Frames | undefined> {
  const frames = kind === "png" ? pngFrames(bytes) : pages;
  if (frames <= 1) return undefined;
  const together = kind !== "png" && frames * pixels <= DECODED;
  const hash = together ? await pixelsHash(bytes, frames).catch(() => crc32(bytes)) : crc32(bytes);
  return { frames, framesHash: hash.toString(16).padStart(8, "0") };
}
