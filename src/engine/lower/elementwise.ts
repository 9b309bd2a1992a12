import { add, elementwise, mul, resultShape, wrap } from "./arithmetic.ts";
import { type Context, graphType } from "./context.ts";
import { dataTypeOf } from "../onnx.ts";
import {
  addPoly,
  featureOf,
  isCoefficient,
  masked,
  maskPoly,
  multiplyPoly,
  polyOf,
  reluPoly,
  scalePoly,
} from "./poly.ts";
import { movedColumns } from "./ranking.ts";
import type { Rules } from "./rule.ts";
import { type Deferred, type Literal, type Poly, sameShape, type Value } from "./value.ts";

const number = (value: number, dtype: Value["dtype"] = "float32"): Literal => ({
  kind: "literal",
  value,
  shape: [],
  dtype,
});
const isZero = (value: Value) => value.kind === "literal" && value.value === 0;

/** The operand as a polynomial beside `other`, if the layout of `other` makes that worth while. */
function asPoly(ctx: Context, value: Value, other: Poly): Poly | undefined {
  if (value.kind === "poly") return value;
  if (!sameShape(value.shape, other.shape) || value.dtype !== "float32") return undefined;
  return polyOf(featureOf(ctx, ctx.plain(value), other.shape));
}

function combine(
  ctx: Context,
  [a, b]: Value[],
  rule: { poly(a: Poly, b: Poly): Poly; coefficient(a: Poly, b: Value): Poly },
): Value | undefined {
  const first = a.kind === "poly" ? a : b.kind === "poly" ? b : undefined;
  if (first === undefined) return undefined;
  const other = first === a ? b : a;
  if (!sameShape(resultShape([a, b]), first.shape)) return undefined;
  if (isCoefficient(ctx, other)) return rule.coefficient(first, other);
  const poly = asPoly(ctx, other, first);
  return poly && rule.poly(first, poly);
}

/** Columns of ranks plus a number, which waits with them. */
function addColumns([a, b]: Value[]): Value | undefined {
  if (b.kind === "literal") return movedColumns(a, 1, b.value);
  return a.kind === "literal" ? movedColumns(b, 1, a.value) : undefined;
}

function addRule(ctx: Context, operands: Value[]): Value {
  const columns = addColumns(operands);
  if (columns) return columns;
  const forced = operands.map((v) => (isNegatedPoly(v) ? negatePoly(ctx, v.of as Poly) : v));
  const poly = combine(ctx, forced, {
    poly: (a, b) => addPoly(ctx, a, b),
    coefficient: (a, b) => addPoly(ctx, a, b),
  });
  return poly ?? add(ctx, forced[0], forced[1]);
}

const isNegatedPoly = (value: Value): value is Deferred =>
  value.kind === "deferred" && value.op === "neg" && value.of.kind === "poly";

function negatePoly(ctx: Context, poly: Poly): Poly {
  return scalePoly(ctx, poly, number(-1));
}

function mulRule(ctx: Context, [a, b]: Value[]): Value {
  const poly = combine(ctx, [a, b], {
    poly: (x, y) => multiplyPoly(ctx, x, y),
    coefficient: (x, y) => scalePoly(ctx, x, y),
  });
  return poly ?? mul(ctx, a, b);
}

function maxRule(ctx: Context, [a, b]: Value[]): Value {
  const poly = a.kind === "poly" && isZero(b) ? a : b.kind === "poly" && isZero(a) ? b : undefined;
  if (poly) return polyOf(reluPoly(ctx, poly));
  if (isZero(b) && a.dtype === "float32") return elementwise(ctx, "Relu", [a], a.dtype);
  if (isZero(a) && b.dtype === "float32") return elementwise(ctx, "Relu", [b], b.dtype);
  return elementwise(ctx, a.dtype === "bool" ? "Or" : "Max", [a, b], a.dtype);
}

function whereRule(ctx: Context, [condition, a, b]: Value[]): Value {
  const shape = resultShape([condition, a, b]);
  if (condition.kind === "sign" && isZero(a) && sameShape(shape, condition.shape)) {
    if (b === condition.of) return polyOf(reluPoly(ctx, condition.of));
    const usable = isCoefficient(ctx, b) ? b : asPoly(ctx, b, condition.of);
    if (usable) return polyOf(masked(ctx, maskPoly(ctx, condition.of), usable));
  }
  if (a.dtype === "bool") {
    const chosen = elementwise(ctx, "And", [condition, a], "bool", shape);
    const not = elementwise(ctx, "Not", [condition], "bool");
    const other = elementwise(ctx, "And", [not, b], "bool", shape);
    return elementwise(ctx, "Or", [chosen, other], "bool", shape);
  }
  const dtype = a.kind === "literal" ? b.dtype : a.dtype;
  return elementwise(ctx, "Where", [condition, a, b], dtype, shape);
}

function compareRule(ctx: Context, [a, b]: Value[], op: string): Value {
  if (op === "less" && a.kind === "poly" && isZero(b)) {
    return { kind: "sign", of: a, shape: a.shape, dtype: "bool" };
  }
  const names: Record<string, string> = {
    less: "Less",
    less_equal: "LessOrEqual",
    equal: "Equal",
    not_equal: "Equal",
  };
  const ordered = op.startsWith("less") && a.dtype === "bool";
  const operands = ordered ? [a, b].map((v) => castTo(ctx, v, "int32")) : [a, b];
  const result = elementwise(ctx, names[op], operands, "bool");
  return op === "not_equal" ? elementwise(ctx, "Not", [result], "bool") : result;
}

/** Converts elements; a float becomes an integer by dropping its fraction, a number a bool by ≠ 0. */
export function castTo(ctx: Context, value: Value, dtype: Value["dtype"]): Value {
  if (value.dtype === dtype) return value;
  if (value.kind === "literal") {
    const truncated = dtype === "bool" ? Number(value.value !== 0) : Math.trunc(value.value);
    return { ...value, dtype, value: dtype.startsWith("float") ? value.value : truncated };
  }
  const { name, shape } = ctx.compact(value);
  const to = dataTypeOf(graphType(dtype));
  const cast = ctx.repeated(ctx.emit("Cast", [name], { to }), shape, value.shape, dtype);
  return value.dtype === "bool" ? cast : wrap(ctx, cast);
}

function divide(ctx: Context, [a, b]: Value[]): Value {
  const quotient = elementwise(ctx, "Div", [a, b], a.dtype);
  if (!a.dtype.startsWith("float")) return quotient;
  const down = elementwise(ctx, "Floor", [quotient], a.dtype);
  const up = elementwise(ctx, "Ceil", [quotient], a.dtype);
  const negative = elementwise(ctx, "Less", [quotient, number(0, a.dtype)], "bool");
  return elementwise(ctx, "Where", [negative, up, down], a.dtype);
}

function remainder(ctx: Context, [a, b]: Value[]): Value {
  const shape = resultShape([a, b]);
  const [x, y] = [ctx.compact(a), ctx.compact(b)];
  const name = ctx.emit("Mod", [x.name, y.name], { fmod: 1 });
  const rank = shape.length;
  const at = (s: readonly number[], i: number) => s[i - rank + s.length] ?? 1;
  const compact = shape.map((_, i) => Math.max(at(x.shape, i), at(y.shape, i)));
  return ctx.repeated(name, compact, shape, a.dtype);
}

function deferred(op: Deferred["op"], of: Value): Value {
  if (of.kind === "literal") {
    const value = op === "neg" ? -of.value : Math.fround(1 / of.value);
    return { ...of, value };
  }
  if (of.kind === "deferred" && of.op === op) return of.of;
  return { kind: "deferred", op, of, shape: of.shape, dtype: of.dtype };
}

const unary =
  (op: string) =>
  (ctx: Context, [x]: Value[]) => [elementwise(ctx, op, [x], x.dtype)];

/** Operations that treat every element alike. */
export const elementwiseRules: Rules = {
  add: (ctx, operands) => [addRule(ctx, operands)],
  mul: (ctx, operands) => [mulRule(ctx, operands)],
  max: (ctx, operands) => [maxRule(ctx, operands)],
  min: (ctx, [a, b]) => [elementwise(ctx, a.dtype === "bool" ? "And" : "Min", [a, b], a.dtype)],
  idiv: (ctx, operands) => [divide(ctx, operands)],
  mod: (ctx, operands) => [remainder(ctx, operands)],
  neg: (ctx, [x]) =>
    x.kind === "poly"
      ? [negatePoly(ctx, x)]
      : x.dtype === "uint32"
        ? [wrap(ctx, ctx.force(deferred("neg", x)))]
        : [movedColumns(x, -1, 0) ?? deferred("neg", x)],
  reciprocal: (_, [x]) => [deferred("reciprocal", x)],
  stop_gradient: (_, [x]) => [x],
  floor: unary("Floor"),
  ceil: unary("Ceil"),
  sin: unary("Sin"),
  cos: unary("Cos"),
  asin: unary("Asin"),
  atan: unary("Atan"),
  exp: unary("Exp"),
  log: unary("Log"),
  sqrt: unary("Sqrt"),
  erf: unary("Erf"),
  erfc: (ctx, [x]) => {
    const erf = elementwise(ctx, "Erf", [x], x.dtype);
    return [elementwise(ctx, "Sub", [number(1, x.dtype), erf], x.dtype)];
  },
  cast: (ctx, [x], { dtype }) => [castTo(ctx, x, dtype as Value["dtype"])],
  compare: (ctx, operands, { op }) => [compareRule(ctx, operands, String(op))],
  where: (ctx, operands) => [whereRule(ctx, operands)],
};
