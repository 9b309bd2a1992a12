import type { DType } from "../../core/arrays.ts";
import type { Context } from "./context.ts";
import type { Literal, Value } from "./value.ts";

const MODULUS = 2 ** 32;

function literal(value: number, like: Value): Literal {
  return { kind: "literal", value, shape: like.shape, dtype: like.dtype };
}

/** The shape of arrays that broadcast as in numpy, none of them empty. */
export function broadcastShape(shapes: (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, i) =>
    Math.max(...shapes.map((shape) => shape[i - rank + shape.length] ?? 1)),
  );
}

/** The result shape of operands that broadcast as in numpy. An axis of size 0 stays 0. */
export function resultShape(values: readonly Value[]): number[] {
  const shapes = values.map(({ shape }) => shape);
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, i) => {
    const sizes = shapes.map((shape) => shape[i - rank + shape.length] ?? 1);
    return sizes.includes(0) ? 0 : Math.max(...sizes);
  });
}

/**
 * An elementwise operation of ONNX on operands that broadcast. Axes along which every operand
 * repeats are not computed; the result repeats along them too.
 */
export function elementwise(
  ctx: Context,
  op: string,
  operands: readonly Value[],
  dtype: DType,
  shape: readonly number[] = resultShape(operands),
): Value {
  const compacts = operands.map((operand) => ctx.compact(operand));
  const full = [...new Array<number>(shape.length).fill(1)];
  const compact = broadcastShape([full, ...compacts.map((operand) => operand.shape)]);
  let name = ctx.emit(
    op,
    compacts.map((operand) => operand.name),
  );
  const rank = Math.max(
    ...operands.map(({ kind }, i) => (kind === "literal" ? 0 : compacts[i].shape.length)),
  );
  if (rank < shape.length) name = ctx.reshape(name, compact);
  return ctx.repeated(name, compact, shape, dtype);
}

/** Brings a uint32, which the graph holds as int64, back into [0, 2³²). */
export function wrap(ctx: Context, value: Value): Value {
  if (value.dtype !== "uint32") return value;
  const modulus: Literal = { kind: "literal", value: MODULUS, shape: [], dtype: "uint32" };
  return elementwise(ctx, "Mod", [value, modulus], "uint32", value.shape);
}

function folded(a: Value, b: Value, compute: (x: number, y: number) => number): Value | undefined {
  if (a.kind !== "literal" || b.kind !== "literal") return undefined;
  const value = compute(a.value, b.value);
  const exact = a.dtype === "float32" ? Math.fround(value) : value;
  return { ...literal(exact, a), shape: resultShape([a, b]) };
}

function spread(value: Value, shape: readonly number[]): Value | undefined {
  const same = value.shape.length === shape.length && value.shape.every((s, i) => s === shape[i]);
  if (same) return value;
  return value.kind === "literal" ? { ...value, shape } : undefined;
}

const isNumber = (value: Value, number: number) =>
  value.kind === "literal" && value.value === number;

/** a + b, as a difference where one of them is a negation that nobody has computed. */
export function add(ctx: Context, a: Value, b: Value): Value {
  const shape = resultShape([a, b]);
  const done = folded(a, b, (x, y) => x + y);
  if (done) return done;
  if (isNumber(a, 0)) return spread(b, shape) ?? elementwise(ctx, "Add", [a, b], b.dtype);
  if (isNumber(b, 0)) return spread(a, shape) ?? elementwise(ctx, "Add", [a, b], a.dtype);
  if (b.kind === "deferred" && b.op === "neg")
    return elementwise(ctx, "Sub", [a, b.of], a.dtype, shape);
  if (a.kind === "deferred" && a.op === "neg")
    return elementwise(ctx, "Sub", [b, a.of], b.dtype, shape);
  return wrap(ctx, elementwise(ctx, "Add", [a, b], a.dtype, shape));
}

/** a · b, as a quotient where one of them is a reciprocal that nobody has computed. */
export function mul(ctx: Context, a: Value, b: Value): Value {
  const shape = resultShape([a, b]);
  const done = folded(a, b, (x, y) => x * y);
  if (done) return done;
  if (isNumber(a, 1)) return spread(b, shape) ?? elementwise(ctx, "Mul", [a, b], b.dtype);
  if (isNumber(b, 1)) return spread(a, shape) ?? elementwise(ctx, "Mul", [a, b], a.dtype);
  if (a.dtype === "bool") return elementwise(ctx, "And", [a, b], "bool", shape);
  if (b.kind === "deferred" && b.op === "reciprocal") {
    return elementwise(ctx, "Div", [a, b.of], a.dtype, shape);
  }
  if (a.kind === "deferred" && a.op === "reciprocal") {
    return elementwise(ctx, "Div", [b, a.of], b.dtype, shape);
  }
  return wrap(ctx, elementwise(ctx, "Mul", [a, b], a.dtype, shape));
}

/** Sum of two coefficients, where null stands for one. */
export function sum(ctx: Context, a: Value | null, b: Value | null): Value {
  const one: Literal = { kind: "literal", value: 1, shape: [], dtype: "float32" };
  return add(ctx, a ?? one, b ?? one);
}

/** Product of two coefficients, where null stands for one. */
export function multiply(ctx: Context, a: Value | null, b: Value | null): Value {
  const one: Literal = { kind: "literal", value: 1, shape: [], dtype: "float32" };
  if (a === null) return b ?? one;
  return b === null ? a : mul(ctx, a, b);
}
