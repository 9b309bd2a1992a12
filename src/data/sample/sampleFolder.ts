import { readFile, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";

import { ConfigError, DataError } from "../../core/errors.ts";
import { explained } from "../../files/fileError.ts";
import { splits } from "./factors.ts";
import { entriesName, headerName, recipe } from "./manifest.ts";
import type { SampleHeader } from "./manifest.ts";
import type { SampleOptions } from "./sampleOptions.ts";

/** What to do with a folder that already holds something. */
export type Existing = {
  overwrite?: boolean; // delete the sample set that is there and start anew
  resume?: boolean; // keep its images and draw those that are missing
};

const missing = (error: unknown) => (error as NodeJS.ErrnoException).code === "ENOENT";

async function namesIn(folder: string): Promise<string[]> {
  return explained("use", folder, () =>
    readdir(folder).catch((error: unknown) => {
      if (missing(error)) return [];
      throw error;
    }),
  );
}

async function readHeader(folder: string): Promise<SampleHeader | undefined> {
  try {
    const text = await readFile(join(folder, headerName), "utf8");
    const header = JSON.parse(text) as Partial<SampleHeader> | null;
    const isHeader = header?.format === "contrapose-sample" && typeof header.options === "object";
    return isHeader ? (header as SampleHeader) : undefined;
  } catch (error) {
    if (missing(error) || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function differences(before: SampleOptions, now: SampleOptions): string[] {
  const names = Object.keys(now) as (keyof SampleOptions)[];
  return names
    .filter((name) => name !== "train" && name !== "test")
    .filter((name) => JSON.stringify(before[name]) !== JSON.stringify(now[name]))
    .map((name) => `${name} was ${JSON.stringify(before[name])}, is ${JSON.stringify(now[name])}`);
}

function checkResumable(folder: string, header: SampleHeader, options: SampleOptions): void {
  const anew = "overwrite the set, or choose another folder";
  if (header.recipe !== recipe) {
    throw new DataError(
      `sample: ${folder} was drawn by version ${header.contrapose}, which draws other images from the same options`,
      anew,
    );
  }
  const changed = differences(header.options, options);
  if (changed.length > 0) {
    throw new ConfigError(`sample: cannot resume ${folder}: ${changed.join("; ")}`, anew);
  }
  for (const split of splits) {
    if (options[split] < header.options[split]) {
      throw new ConfigError(
        `sample: cannot resume ${folder}: it has ${header.options[split]} ${split} images, more than the ${options[split]} asked for`,
        anew,
      );
    }
  }
}

async function clear(folder: string): Promise<void> {
  for (const name of [...splits, entriesName, headerName]) {
    await rm(join(folder, name), { recursive: true, force: true });
  }
}

/**
 * Makes sure that a folder may be written to. A folder with anything in it is refused unless it holds
 * a sample set that is to be overwritten or resumed; other people's files are never deleted.
 */
export async function claimFolder(
  folder: string,
  options: SampleOptions,
  { overwrite = false, resume = false }: Existing,
): Promise<void> {
  if (overwrite && resume) {
    throw new ConfigError("sample: overwrite and resume exclude each other", "choose one of them");
  }
  const names = await namesIn(folder);
  if (names.length === 0) return;
  if (!overwrite && !resume) {
    throw new ConfigError(
      `sample: ${folder} is not empty (${names.length} ${names.length === 1 ? "entry" : "entries"})`,
      "name another folder, or say overwrite or resume",
    );
  }
  const header = await readHeader(folder);
  if (header === undefined) {
    throw new DataError(
      `sample: ${folder} is not empty and not a sample set (no ${headerName} that says so)`,
      "only sample sets are overwritten or resumed; name another folder",
    );
  }
  if (overwrite) await clear(folder);
  else checkResumable(folder, header, options);
}

const endings: Record<SampleOptions["format"], number[]> = {
  png: [0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82],
  jpg: [0xff, 0xd9],
};

/** Whether an image file is there, to its last byte. */
export async function isWhole(path: string, format: SampleOptions["format"]): Promise<boolean> {
  try {
    if ((await stat(path)).size < 32) return false;
    const ending = Uint8Array.from(endings[format]);
    return (await readFile(path)).subarray(-ending.length).equals(ending);
  } catch (error) {
    if (missing(error)) return false;
    throw error;
  }
}
