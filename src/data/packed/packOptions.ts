import { z } from "zod";

import { PixelRange } from "../pixels/ranges.ts";

/** How images are packed. Images keep their aspect; sizes are in pixels. */
export const PackOptions = z.strictObject({
  size: z.int().min(8).max(2048).default(160).describe("shorter side of the stored images"),
  longest: z
    .int()
    .min(8)
    .max(16384)
    .optional()
    .describe("longest side; four times size by default"),
  minimum: z
    .int()
    .min(1)
    .max(2048)
    .default(8)
    .describe("images with a shorter side than this are enlarged to it, all others never"),
  damaged: z
    .enum(["reject", "accept"])
    .default("reject")
    .describe("accept takes what can be decoded of broken files"),
  ranges: z
    .array(PixelRange)
    .optional()
    .describe("values of deep pixels shown as black and white; found from the images by default"),
  maxPixels: z
    .int()
    .min(1)
    .default(268402689)
    .describe("images of more pixels than this are skipped"),
  seconds: z.int().min(1).max(3600).default(60).describe("time for decoding one image"),
  strict: z.boolean().default(false).describe("fail at the first bad file instead of skipping it"),
  overwrite: z
    .boolean()
    .default(false)
    .describe("replace a dataset packed from another place or with other settings"),
  shardBytes: z
    .int()
    .min(4096)
    .max(2 ** 32)
    .default(128 * 2 ** 20)
    .describe("size of the files of pixels"),
  parallel: z.int().min(1).max(256).optional().describe("images decoded at the same time"),
  nearDuplicates: z
    .boolean()
    .default(true)
    .describe("put near-duplicates and bursts into one group"),
});

/** `PackOptions` with every default filled in. */
export type PackOptions = z.output<typeof PackOptions>;

/** Settings that decide what the stored pixels are: a change of one means packing anew. */
export type PixelSettings = {
  readonly recipe: number; // raised whenever the same settings give other pixels
  readonly size: number;
  readonly longest: number;
  readonly minimum: number;
  readonly damaged: "reject" | "accept";
};

/** The settings of options that decide what the stored pixels are. */
export function pixelSettings(options: PackOptions): PixelSettings {
  const { size, longest = 4 * size, minimum, damaged } = options;
  return { recipe: 2, size, longest: Math.max(longest, size), minimum, damaged };
}
