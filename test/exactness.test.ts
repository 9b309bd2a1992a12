import { describe, expect, test } from "vitest";

import { adapters, type ConformanceCase, ownCases } from "../src/conformance/index.ts";
import { createMachine } from "../src/conformance/machine.ts";
import { randomStream, type RandomStream } from "../src/core/random.ts";
import { references } from "./reference/references.ts";
import { syntheticOf } from "./reference/synco.ts";
import type { Nested } from "./reference/standard.ts";

type Named<T> = Record<string, T>;
type Given = Pick<ConformanceCase, "id" | "method" | "params" | "inputs" | "expect">;

const cases = await ownCases();
const sloped = cases.filter(({ differentiate }) => differentiate.length > 0);
const gradientsOf = ({ expect: { gradients } }: Given) => gradients as Named<Nested>;

/** Σ aᵢ·bᵢ over nested lists of one shape. */
const product = (a: Nested, b: Nested): number =>
  Array.isArray(a)
    ? a.reduce((sum: number, inner, i) => sum + product(inner, (b as Nested[])[i]), 0)
    : a * (b as number);

const moved = (x: Nested, by: Nested, step: number): Nested =>
  Array.isArray(x)
    ? x.map((inner, i) => moved(inner, (by as Nested[])[i], step))
    : x + step * (by as number);

const directionOf = (like: Nested, stream: RandomStream): Nested =>
  Array.isArray(like) ? like.map((inner) => directionOf(inner, stream)) : stream.normal();

/** The innermost lists. */
const rowsOf = (nested: Nested): number[][] => {
  if (!Array.isArray(nested)) throw new Error("expected lists");
  return Array.isArray(nested[0]) ? nested.flatMap(rowsOf) : [nested as number[]];
};

/** Loss by loops over numbers, what the gradient takes for constant held as the case has it. */
function lossOf(
  { method, params, inputs: whole, expect: held }: Given,
  inputs: Named<unknown>,
): number {
  const loss = (name: string, p: object, i: object) =>
    references[name](p as never, i as never).loss as number;
  if (method === "instDiscNce")
    return loss(method, { ...params, normaliser: held.normaliser }, inputs);
  const synthetics =
    method === "synco" ? syntheticOf(params as never, whole as never) : held.synthetic;
  if (synthetics === undefined) return loss(method, params, inputs);
  const { query, key, queue } = inputs as Named<number[][]>;
  const each = (synthetics as number[][][]).map((synthetic, i) =>
    loss(
      "infoNce",
      { temperature: params.temperature, negatives: "queue", symmetric: false },
      { query: [query[i]], key: [key[i]], queue: [...queue, ...synthetic] },
    ),
  );
  return each.reduce((sum, one) => sum + one, 0) / each.length;
}

/** Largest difference of slopes and central differences along random directions, relative above 1. */
function slopeError(given: Given, gradients: Named<Nested>): number {
  const stream = randomStream(1, given.id);
  const step = 2e-5 * (given.params.temperature as number); // too small to change a selection
  const errors = [0, 1, 2].map(() => {
    const by = Object.entries(gradients).map(
      ([name, slope]) => [name, directionOf(slope, stream)] as const,
    );
    const at = (length: number) => {
      const there = by.map(([name, way]) => [
        name,
        moved(given.inputs[name] as Nested, way, length),
      ]);
      return lossOf(given, { ...given.inputs, ...(Object.fromEntries(there) as object) });
    };
    const want = (at(step) - at(-step)) / (2 * step);
    const got = by.reduce((sum, [name, way]) => sum + product(gradients[name], way), 0);
    return Math.abs(got - want) / Math.max(1, Math.abs(want));
  });
  return Math.max(...errors);
}

/** Largest |x · ∂L/∂x| of raw rows x, relative to their lengths where that is above 1. */
function radialError({ inputs }: Given, gradients: Named<Nested>): number {
  const errors = Object.entries(gradients).flatMap(([name, slope]) => {
    const slopes = rowsOf(slope);
    return rowsOf(inputs[name] as Nested).map((row, i) => {
      const scale = Math.max(1, Math.hypot(...row) * Math.hypot(...slopes[i]));
      return Math.abs(product(row, slopes[i])) / scale;
    });
  });
  return Math.max(...errors);
}

/** Inputs of each method that are of images, and the depth at which their lists run along the images. */
const alongImages: Named<number> = {
  view1: 0,
  view2: 0,
  view3: 0,
  labels: 0,
  groups: 0,
  multiples: 1,
  waves: 2,
  query: 0,
  key: 0,
  embedding: 0,
  indices: 0,
  views: 1,
  rankingViews: 1,
  keys: 1,
  anchor: 0,
  positive: 0,
  support: 0,
  projection1: 0,
  projection2: 0,
  prediction1: 0,
  prediction2: 0,
  "looc.query": 1,
  "looc.keys": 2,
  threshold: 0,
  mean: 0,
  variance: 0,
  updates: 0,
  "knnVote.labels": -1, // labels of the bank
};

type Change = (images: Nested[]) => Nested[];

function changedAt(nested: Nested, depth: number, change: Change): Nested {
  const list = nested as Nested[];
  return depth === 0 ? change(list) : list.map((inner) => changedAt(inner, depth - 1, change));
}

/** The same change of every list that runs along the images; lists of parameters are draws for each of them. */
function withImages(given: Given, change: Change): Given {
  const inputs = Object.entries(given.inputs).map(([name, value]) => {
    const depth = alongImages[`${given.method}.${name}`] ?? alongImages[name] ?? -1;
    return [name, depth < 0 ? value : changedAt(value as Nested, depth, change)];
  });
  // draws of each image, but for noise that images share
  const draws = (named: Named<unknown>, shared: readonly string[] = []): Named<unknown> =>
    Object.fromEntries(
      Object.entries(named).map(([name, value]) => {
        if (Array.isArray(value)) {
          return [name, shared.includes(name) ? value : change(value as Nested[])];
        }
        const inner = typeof value === "object" && value !== null;
        return [name, inner ? draws(value as Named<unknown>, ["noise"]) : value];
      }),
    );
  return {
    ...given,
    params: draws(given.params),
    inputs: Object.fromEntries(inputs) as Named<unknown>,
  };
}

const sameRow = (nested: Nested[]): Nested[] =>
  nested.map((inner) =>
    Array.isArray((inner as Nested[])[0])
      ? sameRow(inner as Nested[])
      : (inner as number[]).map((_, i) => 0.7 - 0.3 * i),
  );

/** All rows equal; lists of whole numbers stay. */
const withEqualRows = (given: Given): Given => ({
  ...given,
  inputs: Object.fromEntries(
    Object.entries(given.inputs).map(([name, value]) => [
      name,
      Array.isArray((value as Nested[])[0]) ? sameRow(value as Nested[]) : value,
    ]),
  ),
});

const cold = (given: Given): Given => ({
  ...given,
  params: { ...given.params, ...("temperature" in given.params ? { temperature: 0.01 } : {}) },
});

const oneClass = (given: Given): Given => ({
  ...given,
  inputs: { ...given.inputs, labels: (given.inputs.labels as number[]).map(() => 0) },
});

/** Whether every number in nested lists and objects is finite; null stands for what is not defined. */
const allFinite = (value: unknown): boolean =>
  typeof value === "object" && value !== null
    ? Object.values(value).every(allFinite)
    : value === null || Number.isFinite(value);

const compute = (given: Given, device: string) =>
  adapters[given.method](given as ConformanceCase, createMachine(device));

/** A case of each method that shows all of it; crops have no embeddings. */
const plain: Named<string> = {
  viewTriage: "viewTriage/ranked",
  supCon: "supCon/out",
  adnce: "adnce/attached",
};
const methods = Object.keys(adapters).filter((name) => !name.startsWith("contrastiveCrop"));
const caseOf = (method: string): ConformanceCase =>
  cases.find(({ id }) => id === (plain[method] ?? id) && id.startsWith(`${method}/`))!;

describe("gradients of the cases of the package", () => {
  test("are what finite differences of the loops see, through normalisation", () => {
    // weights that are held constant depend on the inputs; equal views would part
    const apart = ({ id, params }: Given) =>
      params.detachWeights === true || id === "viewTriage/ties";
    const errors = sloped
      .filter((given) => !apart(given))
      .map((given) => [given.id, slopeError(given, gradientsOf(given))] as const);
    expect(errors.length).toBeGreaterThan(90);
    expect(errors.filter(([, error]) => !(error < 1e-6))).toEqual([]);
  });

  test("are orthogonal to the rows that are normalised", () => {
    const errors = sloped.map(
      (given) => [given.id, radialError(given, gradientsOf(given))] as const,
    );
    expect(errors.filter(([, error]) => !(error < 1e-9))).toEqual([]);
  });
});

describe.each(methods)("%s", (method) => {
  const given = caseOf(method);

  test.runIf(given.differentiate.length > 0)(
    "in float64: its slopes are finite differences of the loops, orthogonal to the rows, and follow the images",
    async () => {
      const outputs = await compute(given, "reference");
      const gradients = outputs.gradients as Named<Nested>;
      expect(slopeError(given, gradients)).toBeLessThan(1e-6);
      expect(radialError(given, gradients)).toBeLessThan(1e-12);
      const turned = withImages(given, ([first, ...others]) => [...others, first]);
      const other = await compute(turned, "reference");
      const sorted = ({ perAnchor }: typeof outputs) =>
        [...(perAnchor as number[])].sort((a, b) => a - b);
      expect(Math.abs((other.loss as number) - (outputs.loss as number))).toBeLessThan(1e-12);
      const before = sorted(outputs);
      sorted(other).forEach((value, i) => expect(value).toBeCloseTo(before[i], 11));
    },
  );

  const hard: Named<(given: Given) => Given> = {
    "at temperature 0.01": cold,
    "of equal embeddings at temperature 0.01": (one) => cold(withEqualRows(one)),
    "of one image": (one) => withImages(one, ([first]) => [first]),
    ...("labels" in given.inputs ? { "of one class": oneClass } : {}),
    "of two equal images": (one) =>
      withImages(one, ([first, , ...rest]) => [first, first, ...rest]),
  };
  test.each(Object.keys(hard))("all its numbers are finite in float32: %s", async (name) => {
    const outputs = await compute(hard[name](given), "cpu");
    expect(Object.keys(outputs).length).toBeGreaterThan(1);
    expect(Object.entries(outputs).filter(([, value]) => !allFinite(value))).toEqual([]);
  });
});

test.each([
  [0.01, 1.3],
  [0.02, 1.1],
  [0.05, 0.9],
])(
  "at temperature %d float32 keeps the digits of a small loss and of its gradient",
  async (temperature, apart) => {
    const stream = randomStream(1, "cold");
    const view1 = Array.from({ length: 16 }, () =>
      Array.from({ length: 48 }, () => stream.normal()),
    );
    const view2 = view1.map((row) => row.map((x) => x + apart * stream.normal()));
    const given = { params: { temperature }, inputs: { view1, view2 } };
    const want = references["ntXent"](given.params as never, given.inputs as never);
    const whole = { id: "cold", method: "ntXent", differentiate: [], expect: {}, ...given };
    const got = await compute(whole, "cpu");
    const [loss, expected] = [got.loss as number, want.loss as number];
    expect(expected).toBeLessThan(0.1);
    expect(Math.abs(loss / expected - 1)).toBeLessThan(1.5e-5);
    const [slopes, right] = [
      gradientsOf({ ...whole, expect: got }),
      gradientsOf({ ...whole, expect: want }),
    ];
    for (const name of ["view1", "view2"]) {
      const [a, b] = [rowsOf(slopes[name]).flat(), rowsOf(right[name]).flat()];
      const off = Math.max(...a.map((x, i) => Math.abs(x - b[i])));
      expect(off / Math.max(...b.map(Math.abs))).toBeLessThan(1.5e-5);
    }
  },
);
