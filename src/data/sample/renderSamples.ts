import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import sharp from "sharp";

import { ConfigError, ContraposeError } from "../../core/errors.ts";
import { quoted } from "../../core/quote.ts";
import { parseOptions } from "../../core/options.ts";
import type { PixelImage } from "../../core/pixels.ts";
import { VERSION } from "../../core/version.ts";
import { withAtomicFile, writeFileAtomic } from "../../files/atomic.ts";
import { explained } from "../../files/fileError.ts";
import { drawSamples } from "./drawSamples.ts";
import type { Sample } from "./drawSamples.ts";
import { drawFactors, splits } from "./factors.ts";
import type { SampleSplit } from "./factors.ts";
import { entriesName, headerName, sampleEntries, sampleHeader, samplePath } from "./manifest.ts";
import { claimFolder, isWhole } from "./sampleFolder.ts";
import type { Existing } from "./sampleFolder.ts";
import { SampleOptions } from "./sampleOptions.ts";
import { writeImage } from "./writeImage.ts";

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

async function missingOf(
  folder: string,
  options: SampleOptions,
  split: SampleSplit,
): Promise<number[]> {
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
    await writeImage(path, await encode(image, options));
  };
}

async function writeEntries(folder: string, options: SampleOptions): Promise<void> {
  await withAtomicFile(join(folder, entriesName), async (file) => {
    let lines: string[] = [];
    for (const entry of sampleEntries(options)) {
      lines.push(`${JSON.stringify(entry)}\n`);
      if (lines.length < 1000) continue;
      await file.write(lines.join(""));
      lines = [];
    }
    await file.write(lines.join(""));
  });
}

function interrupted(folder: string, resume: boolean): ContraposeError {
  return new ContraposeError(
    `sample: stopped before the end; ${quoted(folder)} keeps what is drawn so far`,
    resume
      ? "run the same command again to go on"
      : "go on with contrapose sample --continue, or resume in code",
  );
}

async function renderInto(
  folder: string,
  options: SampleOptions,
  { resume = false, onProgress, signal }: RenderSettings,
): Promise<number> {
  const writeHeader = (complete: boolean) => {
    const text = JSON.stringify(sampleHeader(options, complete, VERSION), null, 2);
    return writeFileAtomic(join(folder, headerName), `${text}\n`);
  };
  await writeHeader(false);
  const save = createSaver(folder, options);
  const total = options.train + options.test;
  let drawn = 0;
  let done = 0;
  for (const split of splits) {
    const all = Array.from({ length: options[split] }, (_, i) => i);
    const indices = resume ? await missingOf(folder, options, split) : all;
    done += options[split] - indices.length;
    for await (const samples of drawSamples(options, split, indices)) {
      if (signal?.aborted === true) throw interrupted(folder, resume);
      await Promise.all(samples.map(save));
      drawn += samples.length;
      done += samples.length;
      onProgress?.(done, total);
    }
  }
  await writeEntries(folder, options);
  await writeHeader(true);
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
  const drawn = await explained("write", folder, () => renderInto(folder, parsed, settings));
  return { folder, options: parsed, drawn, kept: parsed.train + parsed.test - drawn };
}
