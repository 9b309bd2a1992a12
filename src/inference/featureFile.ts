import { createHash } from "node:crypto";
import { closeSync, existsSync, openSync, readdirSync, readSync, rmSync, statSync } from "node:fs";
import { readFile, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";

import { z } from "zod";

import { ConfigError, DataError } from "../core/errors.ts";
import { parseAs } from "../core/json.ts";
import { quoted } from "../core/quote.ts";
import {
  fileError,
  lock,
  npyHeader,
  recoverFolder,
  writeFolderAtomic,
  writeNpyRows,
} from "../files/index.ts";

/** Rows [count, dimension] of features in a file. */
export type FeatureFile = {
  readonly count: number;
  readonly dimension: number;
  readonly sum: number; // CRC-32 of the file
  /** Reads row `row` to `out` at `offset`. */
  read(row: number, out: Float32Array, offset: number): void;
  close(): void;
};

const about = z.object({
  count: z.int().min(0),
  dimension: z.int().min(1),
  sum: z.int().min(0),
});

const FEATURES = "features.npy";
const ABOUT = "about.json";

/** Bytes that kept features may take in one place; the longest unused are removed beyond. */
const MOST_BYTES = 16 * 2 ** 30;

const PATIENCE = 3600; // seconds that another process may take to compute the same
const GIB = 2 ** 30;
const READ = 2 ** 22; // bytes at once

/** Name of the features that some facts decide. */
export const featuresKey = (facts: unknown): string =>
  createHash("sha256").update(JSON.stringify(facts)).digest("hex").slice(0, 32);

function sumOf(path: string): number {
  const file = openSync(path, "r");
  try {
    const block = new Uint8Array(READ);
    let sum = 0;
    for (let got = readSync(file, block); got > 0; got = readSync(file, block)) {
      sum = crc32(block.subarray(0, got), sum);
    }
    return sum;
  } finally {
    closeSync(file);
  }
}

/** Opens kept features; undefined where there are none, or where they were damaged since. */
async function openKept(folder: string): Promise<FeatureFile | undefined> {
  if (!(await recoverFolder(folder))) return undefined;
  const [path, facts] = [join(folder, FEATURES), join(folder, ABOUT)];
  if (!existsSync(path) || !existsSync(facts)) return undefined;
  try {
    const text = await readFile(facts, "utf8");
    const { count, dimension, sum } = parseAs(about, text, { where: quoted(facts) });
    const start = npyHeader("float32", [count, dimension]).length;
    if (statSync(path).size !== start + 4 * count * dimension || sumOf(path) !== sum)
      return undefined;
    const now = new Date();
    await utimes(folder, now, now); // used last
    const file = openSync(path, "r");
    return {
      count,
      dimension,
      sum,
      read(row, out, offset) {
        const bytes = new Uint8Array(out.buffer, out.byteOffset + 4 * offset, 4 * dimension);
        const got = readSync(file, bytes, 0, bytes.length, start + 4 * row * dimension);
        if (got === bytes.length) return;
        throw new DataError(
          `${quoted(path)} ends in row ${row}`,
          "it was changed under way: train again",
        );
      },
      close: () => closeSync(file),
    };
  } catch (error) {
    if (error instanceof DataError) return undefined;
    throw fileError(error, "read", path);
  }
}

/** Removes features that were not used for the longest time, until `bytes` more fit. */
function makeRoom(place: string, bytes: number): void {
  if (bytes > MOST_BYTES) {
    throw new ConfigError(
      `keptViews: the features would take ${(bytes / GIB).toFixed(1)} GiB, expected ${MOST_BYTES / GIB} at most`,
      "fewer --kept-views, or --freeze none, which keeps none",
    );
  }
  if (!existsSync(place)) return;
  const kept = readdirSync(place).flatMap((name) => {
    const [folder, path] = [join(place, name), join(place, name, FEATURES)];
    if (!existsSync(path)) return []; // a lock, or what is being written
    return [{ folder, size: statSync(path).size, used: statSync(folder).mtimeMs }];
  });
  let total = kept.reduce((sum, { size }) => sum + size, bytes);
  for (const { folder, size } of kept.sort((a, b) => a.used - b.used)) {
    if (total <= MOST_BYTES) return;
    rmSync(folder, { recursive: true, force: true });
    total -= size;
  }
}

/**
 * Features kept under `key` in a folder, computed by `blocks` where they are not there or not whole. They are as large
 * as `shape` says.
 */
export async function keptFeatures(
  place: string,
  key: string,
  shape: readonly [count: number, dimension: number],
  blocks: () => AsyncIterable<Float32Array>,
): Promise<{ features: FeatureFile; isNew: boolean }> {
  const folder = join(place, key);
  const held = await lock(folder, {
    what: `${quoted(folder)} is being written`,
    patience: PATIENCE,
  });
  try {
    return await keptLocked(place, folder, shape, blocks);
  } finally {
    held.release();
  }
}

async function keptLocked(
  place: string,
  folder: string,
  shape: readonly [count: number, dimension: number],
  blocks: () => AsyncIterable<Float32Array>,
) {
  const found = await openKept(folder);
  if (found !== undefined) return { features: found, isNew: false };
  makeRoom(place, 4 * shape[0] * shape[1]);
  await writeFolderAtomic(folder, async (temporary) => {
    const path = join(temporary, FEATURES);
    await writeNpyRows(path, shape, blocks());
    const facts = { count: shape[0], dimension: shape[1], sum: sumOf(path) };
    await writeFile(join(temporary, ABOUT), `${JSON.stringify(facts)}\n`);
  });
  const features = await openKept(folder);
  if (features !== undefined) return { features, isNew: true };
  throw new DataError(
    `${quoted(folder)} cannot be read back after it was written`,
    "check the disk",
  );
}
