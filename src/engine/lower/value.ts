import type { DType } from "../../core/arrays.ts";

/**
 * What a variable of the traced program is while its graph is being built. Nothing is computed before
 * somebody needs it in a definite form: transposes, broadcasts and chains of per-channel arithmetic
 * wait, so that the operation that needs them can take them in.
 */
export type Value =
  Literal | View | Deferred | Poly | Permuted | Sign | Flipped | Windows | Ranked | Padded;

type Typed = { readonly shape: readonly number[]; readonly dtype: DType };

/** One number, standing for an array of any shape. */
export type Literal = Typed & { readonly kind: "literal"; readonly value: number };

/**
 * An array of the graph with its axes permuted, and with axes along which it repeats.
 * `axes[i]` is the axis of `base` that axis i reads, or −1 where the array repeats.
 * Axes of `base` that no axis reads have size 1.
 */
export type View = Typed & {
  readonly kind: "view";
  readonly base: string;
  readonly baseShape: readonly number[];
  readonly axes: readonly number[];
};

/** −x or 1/x, waiting for a sum or a product that can take it in as a difference or a quotient. */
export type Deferred = Typed & {
  readonly kind: "deferred";
  readonly op: "neg" | "reciprocal";
  readonly of: Value;
};

/**
 * A feature map [N, C, H, W] whose memory holds blocks of channels: [N, C/block, H, W, block].
 * The layout that ONNX Runtime's fastest convolutions on CPUs read and write.
 */
export type Feature = {
  readonly id: number;
  readonly name: string;
  readonly shape: readonly number[];
  /** The same numbers as [N, C, H, W] in plain order, once somebody asked. */
  plain?: string;
};

/** coefficient · first · second; the coefficient is null (one), a number, or [1 or N, C, 1, 1]. */
export type Term = {
  readonly coefficient: Value | null;
  readonly first: Feature;
  readonly second?: Feature;
};

/** A sum of terms and of a bias [1 or N, C, 1, 1], not yet computed. Shape [N, C, H, W], float32. */
export type Poly = Typed & {
  readonly kind: "poly";
  readonly terms: readonly Term[];
  readonly bias: Value | null;
  /** Set where the polynomial is a square: its sums cannot be negative, whatever rounding says. */
  readonly isSquare?: boolean;
  dense?: Feature;
  relu?: Feature;
  mask?: Feature;
};

/** A feature map with its axes permuted. */
export type Permuted = Typed & {
  readonly kind: "permuted";
  readonly of: Poly;
  readonly perm: readonly number[];
};

/** x < 0 for a feature map: what the gradient of ReLU asks. */
export type Sign = Typed & { readonly kind: "sign"; readonly of: Poly };

/** An array with some axes reversed: the kernel of an input gradient. */
export type Flipped = Typed & {
  readonly kind: "flipped";
  readonly of: Value;
  readonly axes: readonly number[];
};

/** Sliding windows over the last axes, waiting for the reduction that makes them a pooling. */
export type Windows = Typed & {
  readonly kind: "windows";
  readonly of: Value;
  readonly window: readonly number[];
  readonly strides: readonly number[];
};

/**
 * Part of the rows of an array in order, not sorted yet: who reads a few of them need not sort them all.
 * The elements of `of` from the largest (or smallest) down, equal ones in the order of their columns; of
 * these those at `from` … `to − 1`, read from the end where `backwards`.
 */
export type Ranked = Typed & {
  readonly kind: "ranked";
  readonly of: Value;
  readonly largest: boolean;
  readonly from: number;
  readonly to: number;
  readonly backwards: boolean;
  /** The elements themselves, or sign · (column where the element stands) + offset, in int32. */
  readonly what: "values" | { readonly sign: 1 | -1; readonly offset: number };
};

/** An array with zeros around it: what the gradient of a slice is. */
export type Padded = Typed & {
  readonly kind: "padded";
  readonly of: Value;
  readonly width: readonly (readonly [number, number])[];
};

/** An array of the graph as it is. */
export function wholeView(base: string, shape: readonly number[], dtype: DType): View {
  return { kind: "view", base, baseShape: shape, axes: shape.map((_, i) => i), shape, dtype };
}

/** Whether two shapes are the same. */
export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}

/** The order of axes that undoes `perm`. */
export function inverse(perm: readonly number[]): number[] {
  const result = new Array<number>(perm.length);
  perm.forEach((from, to) => (result[from] = to));
  return result;
}
