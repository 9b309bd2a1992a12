import { existsSync, readdirSync, readFileSync } from "node:fs";
import { cp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { z } from "zod";

import {
  flattenTree,
  hostArray,
  type HostArray,
  type HostRecord,
  mapTree,
} from "../../core/arrays.ts";
import { DataError } from "../../core/errors.ts";
import { firstMistake, parseJson } from "../../core/json.ts";
import { quoted } from "../../core/quote.ts";
import {
  decodeSafetensors,
  encodeSafetensors,
  recoverFolder,
  writeFolderAtomic,
} from "../../files/index.ts";
import {
  type FileSum,
  fileSum,
  OTHER_CHECKPOINT,
  POSITION,
  readSummed,
  sumOf,
} from "../../inference/index.ts";
import { asHostTree, type HostState } from "../../frameworks/index.ts";
import type { Boxes } from "../../views/index.ts";
import { differences, withoutPlan } from "../../config/decisive.ts";
import type { Position } from "./position.ts";

/** Paths of the state that `weights.safetensors` holds; the rest is in `state.safetensors`. */
export type Exported = {
  readonly prefix: string;
  readonly metadata: Record<string, string>;
  /** Arrays of a frozen encoder, which are no part of the state. */
  readonly body: HostRecord;
};

/** All arrays that a run goes on with: the state, and the boxes of crops where there are some. */
export type RunArrays = { readonly state: HostState; readonly boxes: Boxes | undefined };

const WEIGHTS = "weights.safetensors";
const STATE = "state.safetensors";
const BOXES = "views/boxes"; // in `state.safetensors`

type Stored = Position & { readonly files: Record<typeof WEIGHTS | typeof STATE, FileSum> };

const count = z.int().min(0);

const stored: z.ZodType<Stored> = z.looseObject({
  format: z.literal(1),
  package: z.string(),
  step: count,
  epoch: count,
  stepInEpoch: count,
  elapsedSeconds: z.number().min(0),
  best: z.number().nullable(),
  lossSum: z.number(),
  behindStart: z.boolean().default(false),
  lengths: z.looseObject({ "metrics.jsonl": count }),
  configHash: z.string(),
  decisive: z.record(z.string(), z.unknown()),
  files: z.object({ [WEIGHTS]: fileSum, [STATE]: fileSum }),
});

/** A checkpoint that another version wrote in another way. */
const otherFormat = z.object({
  format: z.number().refine((format) => format !== 1),
  package: z.string(),
});

/** Parts of a state path below `prefix` that name a weight: `parameters/conv1.weight` is `conv1.weight`. */
const weightName = (path: string): string => path.slice(path.indexOf("/") + 1);

function splitState(state: HostState, prefix: string): { weights: HostRecord; rest: HostRecord } {
  const [weights, rest]: [HostRecord, HostRecord] = [{}, {}];
  for (const [path, array] of flattenTree(asHostTree(state))) {
    if (path.startsWith(prefix)) weights[weightName(path.slice(prefix.length))] = array;
    else rest[path] = array;
  }
  return { weights, rest };
}

/**
 * Writes a checkpoint folder whole or not at all: whenever the process or the machine stops, the old
 * one or the new one is there.
 */
export async function writeCheckpoint(
  path: string,
  { state, boxes }: RunArrays,
  position: Position,
  exported: Exported,
): Promise<void> {
  const { weights, rest } = splitState(state, exported.prefix);
  if (boxes !== undefined)
    rest[BOXES] = hostArray("float32", [boxes.length / 4, 4], new Float32Array(boxes));
  const contents: [string, Uint8Array][] = [
    [WEIGHTS, encodeSafetensors({ ...exported.body, ...weights }, exported.metadata)],
    [STATE, encodeSafetensors(rest, { format: "contrapose-state" })],
  ];
  const files = { [WEIGHTS]: sumOf(contents[0][1]), [STATE]: sumOf(contents[1][1]) };
  const written: Stored = { ...position, files };
  await writeFolderAtomic(path, async (folder) => {
    for (const [file, bytes] of contents) await writeFile(join(folder, file), bytes);
    await writeFile(join(folder, POSITION), `${JSON.stringify(written, null, 2)}\n`);
  });
}

function readStored(path: string): Stored {
  const where = `checkpoint ${quoted(path)}`;
  let value: unknown;
  try {
    value = parseJson(readFileSync(join(path, POSITION), "utf8"));
  } catch (cause) {
    const what = `${where} is incomplete: its ${POSITION} is missing or damaged`;
    throw new DataError(what, OTHER_CHECKPOINT, { cause });
  }
  const other = otherFormat.safeParse(value).data;
  if (other !== undefined) {
    throw new DataError(
      `${where} has format ${other.format}, expected 1`,
      `it was written by contrapose ${quoted(other.package, 40)}`,
    );
  }
  const result = stored.safeParse(value);
  if (result.success) return result.data;
  throw new DataError(`${where}: ${POSITION}: ${firstMistake(stored, value)}`, OTHER_CHECKPOINT);
}

/** Names of the checkpoints of a run that it may go on from without being told. */
const namesIn = (parent: string): string[] =>
  (existsSync(parent) ? readdirSync(parent) : []).filter((name) =>
    /^(last|best|epoch-\d+)$/.test(name),
  );

/**
 * Name of the checkpoint of a run to go on from: the one with the most steps, `last` where it is among
 * them. Undefined where there is none. A `last` that is damaged is an error, others are passed over.
 */
export async function newestCheckpoint(parent: string): Promise<string | undefined> {
  await recoverFolder(join(parent, "last"));
  let newest: { name: string; step: number } | undefined;
  for (const name of namesIn(parent).sort().reverse()) {
    try {
      const { step } = readPosition(join(parent, name));
      if (newest === undefined || step > newest.step || (step === newest.step && name === "last")) {
        newest = { name, step };
      }
    } catch (error) {
      if (name === "last") throw error;
    }
  }
  return newest?.name;
}

/** Where training stood, without the arrays. */
export const readPosition = (path: string): Position => readStored(path);

function isLater(path: string, step: number): boolean {
  try {
    return readPosition(path).step > step;
  } catch {
    return false; // damaged: nothing goes on from it
  }
}

/**
 * Goes back to a checkpoint of a run: it becomes `last`, then those of more steps are removed, as the files
 * of the run will not reach as far as they noted.
 */
export async function goBackTo(parent: string, name: string): Promise<void> {
  const from = join(parent, name);
  const { step } = readPosition(from);
  if (name !== "last") {
    await writeFolderAtomic(join(parent, "last"), (path) => cp(from, path, { recursive: true }));
  }
  for (const path of namesIn(parent).map((other) => join(parent, other))) {
    if (isLater(path, step)) await rm(path, { recursive: true });
  }
}

/**
 * Reads a checkpoint into a state of the structure of `template`. Throws `DataError` where files are
 * damaged, and where the checkpoint belongs to another config, saying what differs.
 */
export function readCheckpoint(
  path: string,
  template: HostState,
  expected: Pick<Position, "configHash" | "decisive">,
  exported: Exported,
): RunArrays & { position: Position } {
  const position = readStored(path);
  const changed =
    position.configHash === expected.configHash
      ? []
      : differences(withoutPlan(expected.decisive), withoutPlan(position.decisive));
  if (changed.length > 0) {
    throw new DataError(
      `checkpoint ${quoted(path)} belongs to another config: ${changed.slice(0, 5).join("; ")}`,
      "start a new run with --init to begin from its weights",
    );
  }
  const [weights, rest] = ([WEIGHTS, STATE] as const).map((file) => {
    const at = join(path, file);
    return decodeSafetensors(readSummed(at, position.files[file]), at).arrays;
  });
  const state = mapTree(asHostTree(template), (spec, at) => {
    const { prefix } = exported;
    const found = at.startsWith(prefix) ? weights[weightName(at.slice(prefix.length))] : rest[at];
    return matching(path, at, spec, found);
  });
  const boxes = rest[BOXES] as HostArray | undefined;
  const found = boxes?.dtype === "float32" ? boxes.data : undefined;
  return { state: state as HostState, boxes: found as Boxes | undefined, position };
}

function matching(
  path: string,
  at: string,
  spec: HostArray,
  found: HostArray | undefined,
): HostArray {
  const fits =
    found !== undefined &&
    found.dtype === spec.dtype &&
    JSON.stringify(found.shape) === JSON.stringify(spec.shape);
  if (fits) return found;
  const is = found === undefined ? "missing" : `${found.dtype}[${found.shape.join(", ")}]`;
  throw new DataError(
    `checkpoint ${quoted(path)}: ${at} is ${is}, expected ${spec.dtype}[${spec.shape.join(", ")}]`,
  );
}
