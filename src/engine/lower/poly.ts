import { multiply, sum } from "./arithmetic.ts";
import type { Context } from "./context.ts";
import type { Feature, Poly, Term, Value } from "./value.ts";

const NCHWC = "com.microsoft.nchwc";
/** Steep enough that every positive float32 above 1e-30 gives 1. */
const STEP_SLOPE = 1e30;

/** A feature as a polynomial of itself. */
export function polyOf(feature: Feature): Poly {
  return {
    kind: "poly",
    shape: feature.shape,
    dtype: "float32",
    terms: [{ coefficient: null, first: feature }],
    bias: null,
    dense: feature,
  };
}

function blockedShape(ctx: Context, [n, c, h, w]: readonly number[]): number[] {
  return [n, c / ctx.target.block, h * w, ctx.target.block];
}

/** A feature as a plain [N, C, H, W]. */
export function plainFeature(ctx: Context, feature: Feature): string {
  const [, c, h, w] = feature.shape;
  feature.plain ??=
    h * w === 1 ? feature.name : ctx.emit("ReorderOutput", [feature.name], { channels: c }, NCHWC);
  return feature.plain;
}

/** A plain [N, C, H, W] as a feature; C must be a multiple of the block. */
export function featureOf(ctx: Context, name: string, shape: readonly number[]): Feature {
  const [, , h, w] = shape;
  const blocked = h * w === 1 ? name : ctx.emit("ReorderInput", [name], {}, NCHWC);
  const feature = ctx.feature(blocked, shape);
  feature.plain = name;
  return feature;
}

/** A feature map as a matrix of pixels: [N · H · W, C], computed once. */
export function featurePixels(ctx: Context, { id, name, shape: [n, c, h, w] }: Feature): string {
  return ctx.once(`pixels${id}`, () => {
    const last = ctx.emit("ReorderOutput", [name], { channels: c, channels_last: 1 }, NCHWC);
    return ctx.reshape(last, [n * h * w, c]);
  });
}

/** Pixels [N, H, W, C] as a feature map [N, C, H, W]. */
export function featureFromPixels(ctx: Context, name: string, shape: readonly number[]): Feature {
  return ctx.feature(ctx.emit("ReorderInput", [name], { channels_last: 1 }, NCHWC), shape);
}

/** Whether a value is a number or [1 or N, C, 1, 1] beside feature maps [N, C, H, W]. */
export function isCoefficient(ctx: Context, value: Value): boolean {
  if (value.dtype !== "float32" && value.kind !== "literal") return false;
  if (value.kind === "literal") return true;
  if (value.kind !== "view" && value.kind !== "deferred") return false;
  const shape = ctx.compactShape(value);
  return shape.slice(-2).every((size) => size === 1) || shape.length === 0;
}

function coefficientShape(ctx: Context, value: Value): number[] {
  const shape = ctx.compactShape(value);
  return [...new Array<number>(4 - shape.length).fill(1), ...shape];
}

function variesWithImage(ctx: Context, value: Value | null): boolean {
  return value !== null && coefficientShape(ctx, value)[0] > 1;
}

/** A coefficient as [C], for every image the same. */
function vector(ctx: Context, value: Value | null, channels: number): string {
  if (value === null) return ctx.graph.constant("float32", [channels], 1);
  if (value.kind === "literal") return ctx.graph.constant("float32", [channels], value.value);
  const { name } = ctx.compact(value);
  return coefficientShape(ctx, value)[1] === channels
    ? ctx.reshape(name, [channels])
    : ctx.emit("Expand", [ctx.reshape(name, [1]), ctx.graph.ints([channels])]);
}

type Scaling = { bias?: Value | null; added?: string; activation?: Activation };

/** coefficient · x + bias + added in one pass over memory, with ReLU or a step on top. */
function scale(ctx: Context, x: Feature, coefficient: Value | null, options: Scaling): string {
  const channels = x.shape[1];
  const weight = ctx.reshape(vector(ctx, coefficient, channels), [channels, 1, 1, 1]);
  const bias = options.bias ? vector(ctx, options.bias, channels) : "";
  const inputs = [x.name, weight, bias, options.added ?? ""];
  while (inputs.at(-1) === "") inputs.pop();
  const activation =
    options.activation === "step"
      ? { activation: "HardSigmoid", activation_params: { float: [STEP_SLOPE, 0] } }
      : options.activation === "Relu"
        ? { activation: "Relu" }
        : {};
  const shape = { kernel_shape: [1, 1], pads: [0, 0, 0, 0], strides: [1, 1], dilations: [1, 1] };
  return ctx.emit("Conv", inputs, { group: channels, ...shape, ...activation }, NCHWC);
}

/** Multiplies or adds a coefficient that differs from image to image. */
function perImage(ctx: Context, op: "Mul" | "Add", x: string, value: Value, like: Feature): string {
  const [n, blocks, , block] = blockedShape(ctx, like.shape);
  const [images, channels] = coefficientShape(ctx, value);
  const { name } = ctx.compact(value);
  const full =
    channels === like.shape[1]
      ? name
      : ctx.emit("Expand", [name, ctx.graph.ints([images, like.shape[1], 1, 1])]);
  const coefficient = ctx.reshape(full, [images > 1 ? n : 1, blocks, 1, block]);
  const wide = ctx.emit(op, [ctx.reshape(x, blockedShape(ctx, like.shape)), coefficient]);
  return ctx.reshape(wide, like.shape);
}

function linearTerms(ctx: Context, poly: Poly): { coefficient: Value | null; x: Feature }[] {
  return poly.terms.map(({ coefficient, first, second }) => {
    const x = second === undefined ? first : ctx.product(first, second);
    if (!variesWithImage(ctx, coefficient)) return { coefficient, x };
    const scaled = perImage(ctx, "Mul", x.name, coefficient as Value, x);
    return { coefficient: null, x: ctx.feature(scaled, x.shape) };
  });
}

type Activation = "Relu" | "step";

/** A sum of features without coefficients, and what is left of the polynomial to put on top. */
function finish(ctx: Context, total: string, poly: Poly, activation?: Activation): string {
  const x = ctx.feature(total, poly.shape);
  if (variesWithImage(ctx, poly.bias)) {
    const shifted = perImage(ctx, "Add", total, poly.bias as Value, x);
    return finish(ctx, shifted, { ...poly, bias: null }, activation);
  }
  if (poly.bias === null && activation !== "step") {
    return activation === undefined ? total : ctx.emit("Relu", [total]);
  }
  return scale(ctx, x, null, { bias: poly.bias, ...(activation ? { activation } : {}) });
}

/** One pass over memory for each term with a coefficient; the rest rides along. */
function evaluate(ctx: Context, poly: Poly, activation?: Activation): string {
  const terms = linearTerms(ctx, poly);
  const scaled = terms.filter(({ coefficient }) => coefficient !== null);
  const bare = terms.filter(({ coefficient }) => coefficient === null).map(({ x }) => x.name);
  let total = bare.length > 0 ? bare.reduce((a, b) => ctx.emit("Add", [a, b])) : undefined;
  const late = scaled.length === 0 || variesWithImage(ctx, poly.bias);
  scaled.forEach(({ coefficient, x }, i) => {
    const last = i === scaled.length - 1 && !late;
    total = scale(ctx, x, coefficient, {
      bias: i === 0 && !late ? poly.bias : null,
      ...(total === undefined ? {} : { added: total }),
      ...(last && activation ? { activation } : {}),
    });
  });
  return late ? finish(ctx, total as string, poly, activation) : (total as string);
}

/** The polynomial, computed; once. */
export function densePoly(ctx: Context, poly: Poly): Feature {
  poly.dense ??= ctx.feature(evaluate(ctx, poly), poly.shape);
  return poly.dense;
}

/** max(polynomial, 0), computed; once. */
export function reluPoly(ctx: Context, poly: Poly): Feature {
  poly.relu ??= ctx.feature(evaluate(ctx, poly, "Relu"), poly.shape);
  return poly.relu;
}

/** 1 where the polynomial is positive, else 0, computed; once. At exactly 0 the slope of ReLU is 0. */
export function maskPoly(ctx: Context, poly: Poly): Feature {
  poly.mask ??= ctx.feature(
    poly.relu ? scale(ctx, poly.relu, null, { activation: "step" }) : evaluate(ctx, poly, "step"),
    poly.shape,
  );
  return poly.mask;
}

/** mask · value, where the value is a polynomial or a coefficient. */
export function masked(ctx: Context, mask: Feature, value: Value): Feature {
  if (value.kind === "poly") return ctx.product(mask, densePoly(ctx, value));
  return ctx.feature(perImage(ctx, "Mul", mask.name, value, mask), mask.shape);
}

function merge(terms: Term[], ctx: Context): Term[] {
  const merged = new Map<string, Term>();
  for (const term of terms) {
    const ids = [term.first.id, term.second?.id ?? -1].sort((a, b) => a - b).join();
    const known = merged.get(ids);
    merged.set(
      ids,
      known === undefined
        ? term
        : { ...term, coefficient: sum(ctx, known.coefficient, term.coefficient) },
    );
  }
  return [...merged.values()];
}

/** a + b; either may be a coefficient. */
export function addPoly(ctx: Context, a: Poly, b: Poly | Value): Poly {
  const { shape, dtype } = a;
  if (b.kind !== "poly") {
    const bias = a.bias === null ? b : sum(ctx, a.bias, b);
    return { kind: "poly", shape, dtype, terms: a.terms, bias };
  }
  const bias = a.bias === null ? b.bias : b.bias === null ? a.bias : sum(ctx, a.bias, b.bias);
  return { kind: "poly", shape, dtype, terms: merge([...a.terms, ...b.terms], ctx), bias };
}

/** a · coefficient. */
export function scalePoly(ctx: Context, a: Poly, by: Value): Poly {
  const terms = a.terms.map((term) => ({
    ...term,
    coefficient: multiply(ctx, term.coefficient, by),
  }));
  const bias = a.bias === null ? null : multiply(ctx, a.bias, by);
  return { kind: "poly", shape: a.shape, dtype: a.dtype, terms, bias };
}

/** The most terms that a product may have before its factors are computed first. */
const MOST_TERMS = 6;

function isLinear(poly: Poly): boolean {
  return poly.terms.every(({ second }) => second === undefined);
}

/** a · b, written out where both are short and linear; else the product of both computed. */
export function multiplyPoly(ctx: Context, a: Poly, b: Poly): Poly {
  const count = (p: Poly) => p.terms.length + (p.bias === null ? 0 : 1);
  if (!isLinear(a) || !isLinear(b) || count(a) * count(b) > MOST_TERMS) {
    return polyOf(ctx.product(densePoly(ctx, a), densePoly(ctx, b)));
  }
  const terms: Term[] = a.terms.flatMap((left) =>
    b.terms.map((right) => ({
      coefficient: multiply(ctx, left.coefficient, right.coefficient),
      first: left.first,
      second: right.first,
    })),
  );
  const scaledBy = (p: Poly, by: Value | null): Term[] =>
    by === null
      ? []
      : p.terms.map((term) => ({ ...term, coefficient: multiply(ctx, term.coefficient, by) }));
  terms.push(...scaledBy(a, b.bias), ...scaledBy(b, a.bias));
  const bias = a.bias === null || b.bias === null ? null : multiply(ctx, a.bias, b.bias);
  const { shape, dtype } = a;
  return { kind: "poly", shape, dtype, terms: merge(terms, ctx), bias, isSquare: a === b };
}

function spatialSum(ctx: Context, feature: Feature): string {
  const [n, c, h, w] = feature.shape;
  return ctx.once(`sum${feature.id}`, () => {
    const mean = ctx.emit("GlobalAveragePool", [feature.name], {}, NCHWC);
    return ctx.emit("Mul", [ctx.reshape(mean, [n, c]), ctx.graph.constant("float32", [], h * w)]);
  });
}

/**
 * Σ over H and W, and over N where `overImages`: [N, C] or [C], as names of plain arrays.
 * Sums of products take the sums of their features, so nothing of full size is computed twice.
 */
export function sumPoly(ctx: Context, poly: Poly, overImages: boolean): string {
  const [n, c, h, w] = poly.shape;
  const parts = poly.terms.map(({ coefficient, first, second }) => {
    const x = second === undefined ? first : ctx.product(first, second);
    const perImageSum = spatialSum(ctx, x); // [N, C]
    return addUp(ctx, perImageSum, coefficient, { n, c, overImages });
  });
  if (poly.bias !== null) {
    const ones = ctx.graph.constant("float32", [n, c], h * w);
    parts.push(addUp(ctx, ones, poly.bias, { n, c, overImages }));
  }
  const total = parts.reduce((a, b) => ctx.emit("Add", [a, b]));
  return poly.isSquare ? ctx.emit("Max", [total, ctx.graph.constant("float32", [], 0)]) : total;
}

type Sizes = { n: number; c: number; overImages: boolean };

function addUp(ctx: Context, sums: string, coefficient: Value | null, sizes: Sizes): string {
  const { c, overImages } = sizes;
  const scaleBy = (x: string, rows: number) => {
    if (coefficient === null) return x;
    if (coefficient.kind === "literal") {
      return ctx.emit("Mul", [x, ctx.graph.constant("float32", [], coefficient.value)]);
    }
    const [images, channels] = coefficientShape(ctx, coefficient);
    const shape = rows === 0 ? [channels] : [images, channels];
    return ctx.emit("Mul", [x, ctx.reshape(ctx.compact(coefficient).name, shape)]);
  };
  if (!overImages) return scaleBy(sums, 1);
  const late = !variesWithImage(ctx, coefficient);
  const weighted = late ? sums : scaleBy(sums, 1);
  const reduced = ctx.reshape(
    ctx.emit("ReduceSum", [weighted, ctx.graph.ints([0])], { keepdims: 0 }),
    [c],
  );
  return late ? scaleBy(reduced, 0) : reduced;
}
