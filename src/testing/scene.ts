import { numpy as np } from "@jax-js/jax";

import { type HostArray, type HostRecord, isHostArray } from "../core/arrays.ts";
import type { Marks } from "../core/pairs.ts";
import type { ArrayRecord } from "../core/trees.ts";
import type { Sampler, Scene } from "../sampling/sampler.ts";
import { evaluate, numbers, rowsOf, shaped } from "./arrays.ts";

export type Rows = number[][];
type Matrix = Rows | HostArray | np.Array;

/** Floating types that scenes come in. */
export type Float = "float32" | "float64";

/** What a test says of a scene. Lists are taken in the floating type of the scene, marks as int32. */
export type GivenScene = {
  similarity: Matrix; // [N, M]
  /** By default `similarity`. */
  ranking?: Matrix;
  /** [S, B, M]; by default the rows of `ranking`, of `views` views or of one. */
  support?: Rows[] | HostArray | np.Array;
  ownViews?: Matrix[];
  /** Each [N]; by default −1. */
  ownIds?: number[][];
  overlaps?: number[][];
  /** What is left out: ids count up (candidates' from 1000), groups and labels are −1. */
  anchors?: Partial<Record<keyof Marks, number[]>>;
  candidates?: Partial<Record<keyof Marks, number[]>>;
  pool?: number;
  inputs?: HostRecord | ArrayRecord;
  state?: HostRecord | ArrayRecord;
  active?: number;
  /**
   * Given: views of N / `views` images, view-major, against themselves (M = N). Left out: column 0 is each
   * anchor's own key and the others are a queue. `ownViews`, `pool` and marks follow from it.
   */
  views?: number;
};

/** Whether a value is an array inside a program, traced or not. */
const isTraced = (value: unknown): value is np.Array =>
  typeof value === "object" && value !== null && "ref" in value;

const dtypes = { float32: np.float32, float64: np.float64, int32: np.int32 };

/** An array inside traced code: as it is, or a constant. */
function constant(value: Matrix | Rows[] | number[] | number, dtype: keyof typeof dtypes) {
  if (isTraced(value)) return value;
  if (typeof value === "object" && isHostArray(value)) {
    const type = dtypes[value.dtype as "int32"];
    return np.array(Array.from(value.data), { dtype: type }).reshape([...value.shape]);
  }
  return np.array(value, { dtype: dtypes[dtype] });
}

const record = (arrays: HostRecord | ArrayRecord = {}): ArrayRecord =>
  Object.fromEntries(
    Object.entries(arrays).map(([name, array]) => [name, constant(array, "float32")]),
  );

const column0 = (n: number, m: number): Rows =>
  Array.from({ length: n }, () => Array.from({ length: m }, (_, j) => Number(j === 0)));

/** One matrix for every other view: 1 where a column is view a + `by` (mod `views`) of the row's image. */
function otherViews(n: number, views: number): Rows[] {
  const images = n / views;
  return Array.from({ length: views - 1 }, (_, by) =>
    Array.from({ length: n }, (_, i) => {
      const own = (i + (by + 1) * images) % n;
      return Array.from({ length: n }, (_, j) => Number(j === own));
    }),
  );
}

/** A whole scene of what matters to a test. Call it inside traced code. */
export function sceneOf(given: GivenScene): Scene {
  const { views } = given;
  const likeness = given.similarity;
  const type: Float = Array.isArray(likeness) ? "float64" : (likeness.dtype as Float);
  const similarity = constant(likeness, type); // [N, M]
  const [n, m] = similarity.shape;
  const images = n / (views ?? 1);
  const ranking = given.ranking === undefined ? similarity.ref : constant(given.ranking, type);
  const support =
    given.support === undefined
      ? ranking.ref.reshape([views ?? 1, images, m])
      : constant(given.support, type);
  const own = given.ownViews ?? (views === undefined ? [column0(n, m)] : otherViews(n, views));
  const ids = Array.from({ length: n }, (_, i) => i % images);
  const stored = Array.from({ length: m }, (_, j) => (j === 0 ? -1 : 1000 + j));
  const marks = (of: GivenScene["anchors"] = {}, count: number, names: number[]): Marks => ({
    ids: constant(of.ids ?? names, "int32"),
    groups: constant(of.groups ?? Array<number>(count).fill(-1), "int32"),
    labels: constant(of.labels ?? Array<number>(count).fill(-1), "int32"),
  });
  return {
    similarity,
    ranking,
    support,
    ownViews: own.map((matrix) => constant(matrix, type)),
    ownIds: own.map((_, w) => constant(given.ownIds?.[w] ?? Array<number>(n).fill(-1), "int32")),
    overlaps: given.overlaps?.map((each) => constant(each, type)),
    anchors: marks(given.anchors, n, ids),
    candidates: marks(given.candidates, m, views === undefined ? stored : ids),
    pool: given.pool ?? m - own.length - (views === undefined ? 0 : 1),
    active: constant(given.active ?? 1, type),
    inputs: record(given.inputs),
    state: record(given.state),
  };
}

/** Weights of pairs as lists. */
export type GivenPairs = { positive: Matrix; negative: Matrix };

/** Column 0 attracts, all others repel: pairs of `n` queries with their keys and a queue of `m` − 1. */
export const keyAndQueue = (n: number, m: number): { positive: Rows; negative: Rows } => {
  const positive = column0(n, m);
  return { positive, negative: positive.map((row) => row.map((own) => 1 - own)) };
};

/** Views of one image attract, all others repel, as lists. */
export function viewsOfImages(n: number, views: number): { positive: Rows; negative: Rows } {
  const images = n / views;
  const rows = (entry: (i: number, j: number) => boolean) =>
    Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => Number(entry(i, j))));
  return {
    positive: rows((i, j) => i !== j && i % images === j % images),
    negative: rows((i, j) => i % images !== j % images),
  };
}

/** What came out of a sampler, as lists. */
export type SampledRows = {
  positive: Rows;
  negative: Rows;
  /** All terms; the first one's pairs stand above. */
  terms: { positive: Rows; negative: Rows; weight: number[] | undefined }[];
  metrics: Record<string, number>;
  state: HostRecord;
};

/** Runs a sampler once, on the reference device and in float64 unless told otherwise. */
export async function sample(
  sampler: Sampler,
  given: GivenScene,
  pairs: GivenPairs,
  options: Record<string, unknown> = {},
  type: Float = "float64",
): Promise<SampledRows> {
  const matrix = (value: Matrix) => constant(value, type);
  const result = await evaluate(() => {
    const scene = sceneOf({ ...given, similarity: matrix(given.similarity) });
    const before = { positive: matrix(pairs.positive), negative: matrix(pairs.negative) };
    const { terms, metrics = {}, state = {} } = sampler.apply(scene, before, options);
    const kept = terms.map(({ pairs, weight }) => (weight ? { pairs, weight } : { pairs }));
    return { terms: kept, metrics, state };
  });
  const { terms, metrics, state } = shaped<{
    terms: { pairs: { positive: HostArray; negative: HostArray }; weight?: HostArray }[];
    metrics: HostRecord;
    state: HostRecord;
  }>(result);
  const lists = terms.map(({ pairs, weight }) => ({
    positive: rowsOf(pairs.positive),
    negative: rowsOf(pairs.negative),
    weight: weight && numbers(weight),
  }));
  return {
    positive: lists[0].positive,
    negative: lists[0].negative,
    terms: lists,
    state,
    metrics: Object.fromEntries(
      Object.entries(metrics).map(([name, value]) => [name, numbers(value)[0]]),
    ),
  };
}
