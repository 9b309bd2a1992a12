import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";

import { z } from "zod";

import { ContraposeError, DataError } from "../core/errors.ts";
import { fileError } from "../files/index.ts";
import {
  loadEncoder,
  openFeatures,
  openOnnxEncoder,
  repositoryAt,
  type Rows,
} from "../inference/index.ts";

/**
 * How a pretrained encoder is read: its weights by name into an encoder of ours, its ONNX model run as it is, or
 * that model's graph made into an encoder that is trained.
 */
export type StartWay = "weights" | "onnx" | "trainable";

/** What came of one repository, one size of images and one way in. */
export type StartResult = {
  readonly name: string;
  readonly size: number; // pixels
  readonly way: StartWay;
  /** Largest difference from the expected features over the largest of them; null where there was an error. */
  readonly error: number | null;
  readonly pass: boolean;
  readonly message: string;
};

/** Agreement asked for, as a share of the largest feature. */
export const START_TOLERANCE = 1e-4;

const Features = z.array(z.array(z.number()));
const Case = z.object({
  size: z.int().positive(),
  n: z.int().positive(),
  pixelSeed: z.number(),
  halved: z.boolean().default(false),
  features: z.union([Features, z.object({ features: Features }).transform((all) => all.features)]),
});
const Expected = z.object({ onnxSize: z.int().positive().optional(), cases: z.array(Case) });
type Expected = z.output<typeof Expected>;
type Case = z.output<typeof Case>;

function readExpected(folder: string): Expected {
  const path = join(folder, "expected.json");
  try {
    return Expected.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof z.ZodError))
      throw fileError(error, "read", path);
    throw new DataError(`${JSON.stringify(path)} holds no expected features`, "see docs/starts.md");
  }
}

/** Seeded pixels as rows: value k is 4 · frac(sin((k + 1) · 12.9898 + seed) · 43758.5453) − 2, halved where asked. */
export function seededRows({ size, n, pixelSeed, halved }: Omit<Case, "features">): Rows {
  const values = 3 * size * size;
  const valueOf = (k: number) => {
    const wave = Math.sin((k + 1) * 12.9898 + pixelSeed) * 43758.5453;
    return (4 * (wave - Math.floor(wave)) - 2) / (halved ? 2 : 1);
  };
  return {
    count: n,
    fill(row, out, offset) {
      for (let i = 0; i < values; i++) out[offset + i] = valueOf(row * values + i);
    },
  };
}

const plain = { mean: [0, 0, 0], std: [1, 1, 1] }; // pixels come normalised

/** Features of an encoder that can be trained: from weights by name, or from an ONNX model. */
async function byTraining(path: string, one: Case): Promise<Float32Array> {
  const loaded = await loadEncoder(path, { imageSize: one.size, ...plain });
  const { network, variables, description } = loaded;
  const embedder = await openFeatures(network, variables, description, {
    batchSize: one.n,
    tune: false,
  });
  try {
    return await embedder.embed(variables, seededRows(one));
  } finally {
    await embedder.dispose();
  }
}

async function byOnnx(model: string, one: Case): Promise<Float32Array> {
  const encoder = await openOnnxEncoder(model, { imageSize: one.size, ...plain });
  try {
    return await encoder.embed(seededRows(one));
  } finally {
    await encoder.dispose();
  }
}

function errorOf(found: Float32Array, expected: readonly (readonly number[])[]): number {
  const flat = expected.flat();
  if (found.length !== flat.length) {
    throw new DataError(`${found.length} features, expected ${flat.length}`);
  }
  let [error, largest] = [0, 0];
  flat.forEach((value, i) => {
    error = Math.max(error, Math.abs(value - found[i]));
    largest = Math.max(largest, Math.abs(value));
  });
  return error / largest;
}

async function checked(
  at: Pick<StartResult, "name" | "size" | "way">,
  one: Case,
  embed: () => Promise<Float32Array>,
): Promise<StartResult> {
  try {
    const error = errorOf(await embed(), one.features);
    const pass = error <= START_TOLERANCE; // false for NaN too
    const message = pass ? "" : `differs by ${error.toExponential(1)} of the largest feature`;
    return { ...at, error, pass, message };
  } catch (error) {
    if (!(error instanceof ContraposeError)) throw error;
    return { ...at, error: null, pass: false, message: error.message };
  }
}

/** Repositories with expected features: the folder itself, or those in it. Throws `DataError` where there is none. */
function repositoriesIn(folder: string): string[] {
  const has = (path: string) =>
    existsSync(join(path, "expected.json")) && repositoryAt(path) !== undefined;
  if (!existsSync(folder)) throw new DataError(`${JSON.stringify(folder)} does not exist`);
  if (has(folder)) return [folder];
  const found = readdirSync(folder)
    .sort()
    .map((name) => join(folder, name))
    .filter(has);
  if (found.length > 0) return found;
  throw new DataError(
    `${JSON.stringify(folder)} holds no repository of an encoder with an expected.json`,
    "give a folder of such, see docs/starts.md",
  );
}

/** Checks pretrained encoders against features that their makers' programs gave for the same pixels, by every way in. */
export async function checkStarts(
  folder: string,
  { each, signal }: { each: (result: StartResult) => void; signal?: AbortSignal | undefined },
): Promise<StartResult[]> {
  const results: StartResult[] = [];
  for (const path of repositoriesIn(folder)) {
    const { weights, onnx } = repositoryAt(path)!;
    const { cases, onnxSize } = readExpected(path);
    const name = basename(resolve(path));
    for (const one of cases) {
      signal?.throwIfAborted();
      const at = { name, size: one.size };
      const add = (result: StartResult) => (results.push(result), each(result));
      if (weights !== undefined) {
        add(await checked({ ...at, way: "weights" }, one, () => byTraining(path, one)));
      }
      if (onnx !== undefined && (onnxSize ?? one.size) === one.size) {
        add(await checked({ ...at, way: "onnx" }, one, () => byOnnx(onnx, one)));
        add(await checked({ ...at, way: "trainable" }, one, () => byTraining(onnx, one)));
      }
    }
  }
  return results;
}
