import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { cpus, homedir } from "node:os";
import { dirname, join } from "node:path";

import { z } from "zod";

import { sizeOf } from "../core/arrays.ts";
import { parseJson } from "../core/json.ts";
import { VERSION } from "../core/version.ts";
import { Context, type Target } from "./lower/context.ts";
import { convolutionRules } from "./lower/convolution.ts";
import { openSession } from "./device.ts";
import { forms } from "./lower/forms.ts";
import type { Geometry } from "./lower/padding.ts";
import { densePoly, polyOf } from "./lower/poly.ts";
import { toTensor } from "./program.ts";
import { type Poly, type Value, type View, wholeView } from "./lower/value.ts";

/** Which way was chosen for each convolution, by kind and sizes: `convolution 64,256,8,8,256,0`. */
export type Choices = Record<string, string>;

/** A question that lowering asked: which of these ways. */
export type Question = { kind: string; sizes: readonly number[]; ways: readonly string[] };

/** The name of a question in `Choices`. */
export function questionKey(kind: string, sizes: readonly number[]): string {
  return `${kind} ${sizes.join()}`;
}

/** Runs of a way, after one that is not counted; the fastest is what counts. */
const RUNS = 4;
const PATIENCE_MS = 200;
/** The first way is kept unless another is faster by this factor. */
const MARGIN = 0.96;
/** A way whose first run takes longer than the best one by this factor is given up. */
const HOPELESS = 2;
/** Multiplications and additions of a run: a larger batch is timed by some of its images. */
const WORK = 4e9;
const IMAGES = 16; // at least, and a multiple of

/** Where choices are remembered, for this machine and version; `CONTRAPOSE_CACHE` moves it. */
function cacheFile(): string {
  const folder = process.env["CONTRAPOSE_CACHE"] ?? join(homedir(), ".cache", "contrapose");
  return join(folder, "lowerings.json");
}

function machine({ block }: Target, threads: number): string {
  return [cpus().at(0)?.model ?? "unknown", threads, block, VERSION].join("; ");
}

const Table = z.record(z.string(), z.record(z.string(), z.string()));
type Table = Record<string, Choices>;

async function readTable(): Promise<Table> {
  try {
    return Table.parse(parseJson(await readFile(cacheFile(), "utf8")));
  } catch {
    return {}; // absent or damaged: everything is timed again
  }
}

/** What is remembered of a machine, by its description; nothing where the file is absent or damaged. */
export async function remembered(machine: string): Promise<Choices> {
  const table = await readTable();
  return Object.hasOwn(table, machine) ? table[machine] : {};
}

async function remember(key: string, choices: Choices): Promise<void> {
  try {
    const table = await readTable();
    table[key] = { ...table[key], ...choices };
    const file = cacheFile();
    await mkdir(dirname(file), { recursive: true });
    await writeFile(`${file}.${process.pid}`, JSON.stringify(table, null, 1));
    await rename(`${file}.${process.pid}`, file);
  } catch {
    // a home that cannot be written to costs the timing again next time, nothing else
  }
}

type Problem = {
  operands: [Value, Value];
  geometry: Geometry & { vmapDims: number };
  shape: number[];
};

function feature(ctx: Context, name: string, shape: readonly number[]): Poly {
  ctx.graph.input(name, "float32", shape);
  return polyOf(ctx.feature(name, shape));
}

const SWAP = [1, 0, 2, 3];
const swapped = (shape: readonly number[]) => SWAP.map((axis) => shape[axis]);

function geometryOf(padding: number[], rhsDilation: number[]): Problem["geometry"] {
  const [top, bottom, left, right] = padding;
  const pairs = [[top, bottom] as const, [left, right] as const];
  return { strides: [1, 1], lhsDilation: [1, 1], rhsDilation, padding: pairs, vmapDims: 0 };
}

function convolutionProblem(ctx: Context, sizes: readonly number[]): Problem {
  const [n, c, h, w, o, turned] = sizes;
  const x = feature(ctx, "x", [n, c, h, w]);
  const stored = turned ? [c, o, 3, 3] : [o, c, 3, 3];
  ctx.graph.input("w", "float32", stored);
  const plain = wholeView("w", stored, "float32");
  const shape = [o, c, 3, 3];
  const view: View = { ...plain, axes: SWAP, shape };
  const kernel: Value = turned
    ? { kind: "flipped", of: view, axes: [2, 3], shape, dtype: "float32" }
    : plain;
  return { operands: [x, kernel], geometry: geometryOf([1, 1, 1, 1], [1, 1]), shape: [n, o, h, w] };
}

function gradientProblem(ctx: Context, sizes: readonly number[]): Problem {
  const [x, gradient] = [sizes.slice(0, 4), sizes.slice(4, 8)];
  const [dilation, padding] = [sizes.slice(8, 10), sizes.slice(10, 14)];
  const permuted = (name: string, shape: readonly number[]): Value => {
    const dtype = "float32";
    if (shape[0] % ctx.target.block === 0) {
      return { kind: "permuted", of: feature(ctx, name, swapped(shape)), perm: SWAP, shape, dtype };
    }
    ctx.graph.input(name, dtype, swapped(shape));
    return { ...wholeView(name, swapped(shape), dtype), axes: SWAP, shape };
  };
  const spatial = [0, 1].map((i) => {
    const reach = (gradient[2 + i] - 1) * dilation[i] + 1;
    return x[2 + i] + padding[2 * i] + padding[2 * i + 1] - reach + 1;
  });
  return {
    operands: [permuted("x", x), permuted("w", gradient)],
    geometry: geometryOf([...padding], [...dilation]),
    shape: [x[0], gradient[0], ...spatial],
  };
}

/** The same question of as many images as are enough to tell the ways apart. */
function shortened({ kind, sizes, ways }: Question): Question {
  const isGradient = kind !== "convolution";
  const [c, n] = isGradient ? sizes : [sizes[1], sizes[0]];
  const [o, height, width] = isGradient
    ? [sizes[4], sizes[6], sizes[7]]
    : [sizes[4], sizes[2], sizes[3]];
  const fits = Math.floor(WORK / (2 * 9 * c * o * height * width * IMAGES)) * IMAGES;
  const images = Math.min(n, Math.max(IMAGES, fits));
  const places = isGradient ? [1, 5] : [0];
  return { kind, ways, sizes: sizes.map((size, i) => (places.includes(i) ? images : size)) };
}

let filling = new Float32Array(0);

/** Numbers between −1 and 1, the same for everyone who asks. */
function numbers(count: number): Float32Array<ArrayBuffer> {
  if (filling.length < count) {
    filling = new Float32Array(count);
    for (let i = 0; i < count; i++) filling[i] = ((i * 0.6180339887) % 2) - 1;
  }
  return filling.subarray(0, count);
}

/**
 * Milliseconds of the fastest of a few runs of one way to compute what was asked; of its first run where that
 * is far above `best`.
 */
export async function timeWay(
  question: Question,
  way: string,
  target: Target,
  threads: number,
  best = Infinity,
): Promise<number> {
  const ctx = new Context({ ...target, choose: () => way }, forms);
  const make = question.kind === "convolution" ? convolutionProblem : gradientProblem;
  const { operands, geometry, shape } = make(ctx, question.sizes);
  const [result] = convolutionRules["conv"](ctx, operands, geometry, [shape]);
  const name = result.kind === "poly" ? densePoly(ctx, result).name : ctx.plain(result);
  ctx.graph.output("y", ctx.emit("ReduceMax", [name], { keepdims: 0 }), "float32", []);
  const session = await openSession(ctx.graph.toBytes(VERSION), { device: "cpu", threads });
  try {
    const feeds = Object.fromEntries(
      session.inputMetadata.map((input) => {
        const inputShape = input.isTensor ? (input.shape as number[]) : [];
        const data = numbers(sizeOf(inputShape));
        return [input.name, toTensor({ dtype: "float32", shape: inputShape, data })];
      }),
    );
    const run = async () => {
      const before = performance.now();
      await session.run(feeds);
      return performance.now() - before;
    };
    let fastest = await run();
    if (fastest > HOPELESS * best) return fastest;
    const start = performance.now();
    for (let i = 0; i < RUNS && performance.now() - start < PATIENCE_MS; i++) {
      fastest = Math.min(fastest, await run());
    }
    return fastest;
  } finally {
    await session.release();
  }
}

async function fastest(question: Question, target: Target, threads: number): Promise<string> {
  let [best, bestTime] = [question.ways[0], Infinity];
  const asked = shortened(question);
  for (const way of question.ways) {
    const ms = await timeWay(asked, way, target, threads, bestTime);
    if (ms < bestTime * (bestTime === Infinity ? 1 : MARGIN)) [best, bestTime] = [way, ms];
  }
  return best;
}

/** Is told how many of the questions that have to be timed are answered. */
export type TimingListener = (done: number, total: number) => void;

/**
 * Answers the questions that lowering asks on this machine: from what is remembered, and by timing
 * what is not. Answers given in `fixed` are taken as they are.
 */
export async function answer(
  questions: readonly Question[],
  {
    target,
    threads,
    timing,
  }: { target: Target; threads: number; timing?: TimingListener | undefined },
  fixed: Choices = {},
): Promise<Choices> {
  const key = machine(target, threads);
  const known = await remembered(key);
  const choices: Choices = {};
  const news: Choices = {};
  const open: Question[] = [];
  for (const question of questions) {
    const name = questionKey(question.kind, question.sizes);
    const way = fixed[name] ?? known[name];
    if (way !== undefined && question.ways.includes(way)) choices[name] = way;
    else open.push(question);
  }
  for (const [done, question] of open.entries()) {
    timing?.(done, open.length);
    const name = questionKey(question.kind, question.sizes);
    choices[name] = news[name] = await fastest(question, target, threads);
  }
  filling = new Float32Array(0);
  if (open.length > 0) await remember(key, news);
  return choices;
}
