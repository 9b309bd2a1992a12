import { DeviceError } from "../../core/errors.ts";
import type { Context } from "./context.ts";
import type { Rule, Rules } from "./rule.ts";
import { type Value, wholeView } from "./value.ts";

/**
 * Unsigned 32-bit integers live in the graph as int64 in [0, 2³²), because ONNX Runtime has hardly an
 * operator on uint32. Sums are taken modulo 2³², shifts are products and quotients by powers of two.
 */
const MODULUS = 2 ** 32;
const ROTATIONS = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
];
const PARITY = 0x1bd11bda;

function integer(ctx: Context, value: number): string {
  return ctx.graph.constant("int64", [], value);
}

function modulo(ctx: Context, x: string): string {
  return ctx.emit("Mod", [x, integer(ctx, MODULUS)]);
}

function plus(ctx: Context, x: string, y: string): string {
  return modulo(ctx, ctx.emit("Add", [x, y]));
}

function bits(ctx: Context, op: "and" | "or" | "xor", x: string, y: string): string {
  const names = { and: "BitwiseAnd", or: "BitwiseOr", xor: "BitwiseXor" };
  return ctx.emit(names[op], [x, y]);
}

function rotate(ctx: Context, x: string, by: number): string {
  const high = modulo(ctx, ctx.emit("Mul", [x, integer(ctx, 2 ** by)]));
  const low = ctx.emit("Div", [x, integer(ctx, 2 ** (32 - by))]);
  return ctx.emit("Add", [high, low]);
}

/** Threefry 2×32 with 20 rounds (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"). */
function threefry(ctx: Context, k0: string, k1: string, counter: string): [string, string] {
  const k2 = bits(ctx, "xor", bits(ctx, "xor", k0, k1), integer(ctx, PARITY));
  const keys = [k0, k1, k2];
  let x0 = k0; // the first counter is 0
  let x1 = plus(ctx, counter, k1);
  for (let round = 0; round < 5; round++) {
    for (const rotation of ROTATIONS[round % 2]) {
      x0 = plus(ctx, x0, x1);
      x1 = bits(ctx, "xor", rotate(ctx, x1, rotation), x0);
    }
    x0 = plus(ctx, x0, keys[(round + 1) % 3]);
    x1 = plus(ctx, plus(ctx, x1, keys[(round + 2) % 3]), integer(ctx, round + 1));
  }
  return [x0, x1];
}

const randomBits: Rule = (ctx, [k0, k1], params) => {
  const { shape, mode } = params as { shape: number[]; mode: "xor" | 0 | 1 };
  const drawn = shape.slice(k0.shape.length);
  const count = drawn.reduce((a, b) => a * b, 1);
  const ones = drawn.map(() => 1);
  const key = (value: Value) => ctx.reshape(ctx.plain(value), [...value.shape, ...ones]);
  const range = ctx.emit("Range", [integer(ctx, 0), integer(ctx, count), integer(ctx, 1)]);
  const counter = ctx.reshape(range, drawn);
  const [x0, x1] = threefry(ctx, key(k0), key(k1), counter);
  const wide = ctx.graph.ints(shape);
  const result = mode === "xor" ? bits(ctx, "xor", x0, x1) : mode === 0 ? x0 : x1;
  return [wholeView(ctx.emit("Expand", [result, wide]), shape, "uint32")];
};

const bitCombine: Rule = (ctx, [x, y], { op }, [shape]) => {
  const kind = op as "and" | "or" | "xor";
  const { dtype } = x.kind === "literal" ? y : x;
  const [a, b] = [x, y].map((v) => ctx.plain(v.kind === "literal" ? { ...v, dtype, shape } : v));
  const logical = { and: "And", or: "Or", xor: "Xor" };
  const name = dtype === "bool" ? ctx.emit(logical[kind], [a, b]) : bits(ctx, kind, a, b);
  return [wholeView(name, shape, dtype)];
};

const bitShift: Rule = (ctx, [x, y], { op }, [shape]) => {
  const powers = ctx.emit("Pow", [integer(ctx, 2), ctx.emit("Cast", [ctx.plain(y)], { to: 7 })]);
  const left = ctx.emit("Cast", [ctx.plain(x)], { to: 7 });
  if (op === "shl") {
    const product = ctx.emit("Mul", [left, powers]);
    const name =
      x.dtype === "uint32" ? modulo(ctx, product) : ctx.emit("Cast", [product], { to: 6 });
    return [wholeView(name, shape, x.dtype)];
  }
  const quotient = ctx.emit("Div", [left, powers]);
  const name = x.dtype === "uint32" ? quotient : ctx.emit("Cast", [quotient], { to: 6 });
  return [wholeView(name, shape, x.dtype)];
};

/** uint32 bits as a float32 (of normal size): sign, exponent and fraction taken apart. */
function toFloat(ctx: Context, x: string): string {
  const float = (name: string) => ctx.emit("Cast", [name], { to: 1 });
  const number = (value: number) => ctx.graph.constant("float32", [], value);
  const fraction = float(ctx.emit("Mod", [x, integer(ctx, 2 ** 23)]));
  const upper = ctx.emit("Div", [x, integer(ctx, 2 ** 23)]);
  const exponent = float(ctx.emit("Mod", [upper, integer(ctx, 256)]));
  const sign = float(ctx.emit("Div", [upper, integer(ctx, 256)]));
  const power = ctx.emit("Pow", [number(2), ctx.emit("Sub", [exponent, number(127)])]);
  const mantissa = ctx.emit("Add", [number(1), ctx.emit("Mul", [fraction, number(2 ** -23)])]);
  const signed = ctx.emit("Sub", [number(1), ctx.emit("Mul", [sign, number(2)])]);
  return ctx.emit("Mul", [signed, ctx.emit("Mul", [power, mantissa])]);
}

const bitcast: Rule = (ctx, [x], { dtype }) => {
  const plain = ctx.plain(x);
  if (x.dtype === "uint32" && dtype === "float32") {
    return [wholeView(toFloat(ctx, plain), x.shape, "float32")];
  }
  if (x.dtype === "uint32" && dtype === "int32") {
    return [wholeView(ctx.emit("Cast", [plain], { to: 6 }), x.shape, "int32")];
  }
  if (x.dtype === "int32" && dtype === "uint32") {
    return [wholeView(modulo(ctx, ctx.emit("Cast", [plain], { to: 7 })), x.shape, "uint32")];
  }
  throw new DeviceError(
    `compile: bitcast from ${x.dtype} to ${String(dtype)} has no lowering to ONNX`,
  );
};

/** Random bits and the integer arithmetic that turns them into numbers. */
export const randomRules: Rules = {
  random_bits: randomBits,
  bit_combine: bitCombine,
  bit_shift: bitShift,
  bitcast,
};
