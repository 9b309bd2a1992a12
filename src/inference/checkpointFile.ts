import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

import { z } from "zod";

import type { HostRecord } from "../core/arrays.ts";
import { DataError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";
import { parseAs, parseJson } from "../core/json.ts";
import {
  decodeSafetensors,
  isShardIndex,
  readSafetensors,
  readShards,
  type Safetensors,
} from "../files/index.ts";

/** Length and SHA-256 of a file of a checkpoint, as its `position.json` has them. */
export type FileSum = { readonly bytes: number; readonly sha256: string };

/** What `position.json` says of a file beside it. */
export const fileSum: z.ZodType<FileSum> = z.object({ bytes: z.int().min(0), sha256: z.string() });

/** The file of a checkpoint that says where training stood, and the sums of the others. */
export const POSITION = "position.json";

/** What to do where a checkpoint is damaged. */
export const OTHER_CHECKPOINT =
  "another checkpoint of the run may be whole: its checkpoints/best, for --resume by --checkpoint best";

/** Length and SHA-256 of bytes. */
export const sumOf = (bytes: Uint8Array): FileSum => ({
  bytes: bytes.length,
  sha256: createHash("sha256").update(bytes).digest("hex"),
});

/** The bytes of a file of a checkpoint. Throws `DataError` where they are not those that were written. */
export function readSummed(path: string, expected: FileSum): Uint8Array {
  const where = `checkpoint file ${quoted(path)}`;
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    throw new DataError(`${where} cannot be read`, undefined, { cause });
  }
  if (bytes.length !== expected.bytes) {
    const why = bytes.length < expected.bytes ? "it is truncated" : "it is not the one written";
    throw new DataError(
      `${where} has ${bytes.length} bytes, expected ${expected.bytes}: ${why}`,
      OTHER_CHECKPOINT,
    );
  }
  if (sumOf(bytes).sha256 !== expected.sha256) {
    throw new DataError(
      `${where} is damaged: its checksum is not the one written`,
      OTHER_CHECKPOINT,
    );
  }
  return bytes;
}

const OWN = /(?:weights|state)\.safetensors$/; // files that a checkpoint has

/** The sum that a checkpoint has of a file in it; undefined for weights that lie elsewhere. */
function sumBeside(path: string): FileSum | undefined {
  const position = join(dirname(path), POSITION);
  if (!existsSync(position)) return undefined;
  try {
    const schema = z.looseObject({ files: z.record(z.string(), fileSum).optional() });
    const { files } = schema.parse(parseJson(readFileSync(position, "utf8")));
    const sum = files?.[basename(path)];
    if (sum === undefined && files !== undefined && OWN.test(path)) throw new Error("no sum");
    return sum;
  } catch (cause) {
    const what = `${quoted(position)} is damaged: weights beside it cannot be checked`;
    throw new DataError(what, OTHER_CHECKPOINT, { cause });
  }
}

/** Whether a run was behind the pretrained encoder that it began with, when it was measured before a checkpoint. */
export function isBehindStart(checkpoint: string): boolean {
  const position = join(checkpoint, POSITION);
  if (!existsSync(position)) return false; // weights that were copied without it
  const schema = z.looseObject({ behindStart: z.boolean().default(false) });
  const where = { where: quoted(position), hint: OTHER_CHECKPOINT };
  return parseAs(schema, readFileSync(position, "utf8"), where).behindStart;
}

/**
 * Reads a safetensors file, or those that an index names; one of a checkpoint is held against its sum first. Damage is a
 * `DataError`.
 */
export async function readWeights(path: string): Promise<Safetensors> {
  if (isShardIndex(path)) return readShards(path);
  const sum = sumBeside(path);
  if (sum === undefined) return readSafetensors(path);
  try {
    return decodeSafetensors(readSummed(path, sum), quoted(path));
  } catch (error) {
    // training may have written the next checkpoint in between
    if (sumBeside(path)?.sha256 !== sum.sha256) return readWeights(path);
    throw error;
  }
}

/** Refuses weights with a value that is no finite number: what they give would be none, for no reason of its own. */
export function checkFinite(arrays: HostRecord, where: string): void {
  for (const [name, { data }] of Object.entries(arrays)) {
    for (let i = 0; i < data.length; i++) {
      if (Number.isFinite(Number(data[i]))) continue;
      throw new DataError(
        `${where}: ${name} holds ${String(data[i])} at place ${i}, expected finite numbers`,
      );
    }
  }
}
