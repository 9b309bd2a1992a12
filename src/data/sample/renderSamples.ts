import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import sharp from "sharp";

import { ConfigError, DataError } from "../../core/errors.ts";
import { parseOptions } from "../../core/options.ts";
import type { PixelImage } from "../../core/pixels.ts";
import { VERSION } from "../../core/version.ts";
import { drawSamples } from "./drawSamples.ts";
import type { Sample } from "./drawSamples.ts";
import { drawFactors, splits } from "./factors.ts";
import type { Split } from "./factors.ts";
import { entriesName, headerName, sampleEntries, sampleHeader, samplePath } from "./manifest.ts";
import { claimFolder, isWhole } from "./sampleFolder.ts";
import type { Existing } from "./sampleFolder.ts";
import { SampleOptions } from "./sampleOptions.ts";
import { writeLines, writeWhole } from "./writeWhole.ts";

/** How a set is rendered, which does not change what it holds. */
export type RenderSettings = Existing & {
  onProgress?: (done: number, total: number) => void; // images
  signal?: AbortSignal;
};

/** What `renderSamples` did. */
export type RenderedSet = {
  folder: string;
  options: SampleOptions;
  drawn: number; // images
  kept: number; // images that were there already
};

function encode({ width, height, channels, data }: PixelImage, options: SampleOptions) {
  const image = sharp(data, { raw: { width, height, channels } });
  return options.format === "png"
    ? image.png().toBuffer()
    : image.jpeg({ quality: options.quality, chromaSubsampling: "4:4:4" }).toBuffer();
}

async function missingOf(folder: string, options: SampleOptions, split: Split): Promise<number[]> {
  const indices: number[] = [];
  const together = 64;
  for (let from = 0; from < options[split]; from += together) {
    const some = Array.from(
      { length: Math.min(together, options[split] - from) },
      (_, i) => from + i,
    );
    const whole = await Promise.all(
      some.map((index) => {
        const path = samplePath(options, drawFactors(options, split, index));
        return isWhole(join(folder, path), options.format);
      }),
    );
    indices.push(...some.filter((_, i) => !whole[i]));
  }
  return indices;
}

function createSaver(folder: string, options: SampleOptions) {
  const made = new Map<string, Promise<unknown>>();
  return async ({ factors, image }: Sample): Promise<void> => {
    const path = join(folder, samplePath(options, factors));
    const parent = dirname(path);
    if (!made.has(parent)) made.set(parent, mkdir(parent, { recursive: true }));
    await made.get(parent);
    await writeWhole(path, await encode(image, options));
  };
}

async function renderInto(
  folder: string,
  options: SampleOptions,
  { resume = false, onProgress, signal }: RenderSettings,
): Promise<number> {
  const header = (complete: boolean) =>
    `${JSON.stringify(sampleHeader(options, complete, VERSION), null, 2)}\n`;
  await mkdir(folder, { recursive: true });
  await writeWhole(join(folder, headerName), header(false), true);
  const save = createSaver(folder, options);
  const total = options.train + options.test;
  let drawn = 0;
  let done = 0;
  for (const split of splits) {
    const all = Array.from({ length: options[split] }, (_, i) => i);
    const indices = resume ? await missingOf(folder, options, split) : all;
    done += options[split] - indices.length;
    for await (const samples of drawSamples(options, split, indices)) {
      signal?.throwIfAborted();
      await Promise.all(samples.map(save));
      drawn += samples.length;
      done += samples.length;
      onProgress?.(done, total);
    }
  }
  await writeLines(join(folder, entriesName), sampleEntries(options));
  await writeWhole(join(folder, headerName), header(true), true);
  return drawn;
}

/**
 * Renders a labelled image set of known factors into a folder:
 * `<folder>/<train|test>/<class>/<number>.png`, `manifest.jsonl` with every factor and the object's
 * box of each image, and `manifest.json` with the options and the meaning of all fields.
 *
 * The same options give the same bytes, and image i depends only on the options and i: a larger set
 * extends a smaller one. A folder that is not empty is refused unless `overwrite` or `resume` is set.
 */
export async function renderSamples(
  folder: string,
  options: unknown = {},
  settings: RenderSettings = {},
): Promise<RenderedSet> {
  const parsed = parseOptions("sample", SampleOptions, options);
  if (parsed.train + parsed.test === 0) {
    throw new ConfigError("sample: train and test are both 0, so there is nothing to draw");
  }
  await claimFolder(folder, parsed, settings);
  try {
    const drawn = await renderInto(folder, parsed, settings);
    return { folder, options: parsed, drawn, kept: parsed.train + parsed.test - drawn };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined || typeof code !== "string") throw error;
    throw new DataError(`sample: cannot write to ${folder}: ${message}`, undefined, {
      cause: error,
    });
  }
}
