import { readFile } from "node:fs/promises";

import { DataError } from "../../core/errors.ts";
import { quoted } from "../../core/quote.ts";
import { explained } from "../../files/index.ts";
import { decodeApart } from "./decodeApart.ts";
import { decodeLight } from "./decodeBytes.ts";
import type { DecodedImage, DecodeSettings } from "./decodeBytes.ts";
import { sniff, whyNoImage } from "./sniff.ts";
import { messageOf } from "../sources/source.ts";

/** How images are decoded: 268 million pixels and 60 seconds at most, nothing of broken files. */
export type DecodeOptions = {
  readonly [Name in keyof DecodeSettings]?: DecodeSettings[Name] | undefined;
} & { readonly signal?: AbortSignal | undefined };

/** Decodes where it is safe, and of broken files what can be decoded where that is accepted. */
async function decode(
  bytes: Uint8Array,
  settings: DecodeSettings,
  signal: AbortSignal | undefined,
): Promise<DecodedImage> {
  const attempt = async (damaged: DecodeSettings["damaged"]) => {
    const asked = { ...settings, damaged };
    return (await decodeLight(bytes, asked)) ?? decodeApart(bytes, asked, signal);
  };
  if (settings.damaged === "reject") return attempt("reject");
  try {
    return await attempt("reject");
  } catch (error) {
    if (error instanceof DataError || signal?.aborted === true) throw error; // no other attempt will do
    const decoded = await attempt("accept");
    return { ...decoded, file: { ...decoded.file, damaged: true } };
  }
}

function reason(error: unknown, bytes: Uint8Array): string {
  if (error instanceof DataError) return error.message;
  const known = whyNoImage(bytes);
  if (known !== undefined) return known;
  const [first = "unknown error"] = messageOf(error).split("\n");
  const plain = first.trim().replace(/^Input buffer/i, "the file");
  if (/pixel limit/.test(plain)) return "it has more pixels than are allowed";
  if (/timeout/i.test(plain)) return "decoding it takes too long";
  if (/samples out of range/.test(plain)) {
    return "its numbers are of a kind that is not supported (64 bits or complex); convert them to 16 bits or 32-bit floats";
  }
  const kind = sniff(bytes.subarray(0, 4096));
  if (kind === "unknown") return "it is in no known image format";
  return `the ${kind.toUpperCase()} data is damaged or cut short (${plain.replace(/:$/, "")})`;
}

/**
 * Decodes an image file to upright 8-bit sRGB, its first frame only, transparent pixels on a ground on
 * which what is in the image shows.
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
  const { fit, maxPixels = 268402689, seconds = 60, damaged = "reject", ranges = [] } = options;
  const { signal } = options;
  try {
    return await decode(bytes, { fit, maxPixels, seconds, damaged, ranges }, signal);
  } catch (error) {
    signal?.throwIfAborted();
    throw new DataError(`${quoted(name)}: ${reason(error, bytes)}`, undefined, {
      cause: error,
    });
  }
}
