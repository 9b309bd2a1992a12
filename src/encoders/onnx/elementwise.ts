import { lax, nn, numpy as np } from "@jax-js/jax";

import { DataError } from "../../core/errors.ts";
import type { OnnxTensor } from "../../engine/index.ts";
import { gelu, geluTanh, hardSwish, sigmoid } from "../activations.ts";
import {
  array,
  Blocked,
  type Call,
  given,
  hostIf,
  numberOf,
  type Operator,
  textOf,
} from "./call.ts";
import { asType, mapped, tensor } from "./hostArrays.ts";
import { arrayOf, isHost, operandOf, type Value } from "./values.ts";

type Operand = np.Array | number;
type Binary = {
  host: (a: number, b: number, type: string) => number;
  traced: (a: Operand, b: Operand) => np.Array;
};

const isFloat = (type: string) => type.startsWith("float");

const arithmetic: Record<string, Binary> = {
  Add: { host: (a, b) => a + b, traced: (a, b) => np.add(a, b) },
  Sub: { host: (a, b) => a - b, traced: (a, b) => np.subtract(a, b) },
  Mul: { host: (a, b) => a * b, traced: (a, b) => np.multiply(a, b) },
  Div: {
    host: (a, b, type) => (isFloat(type) ? a / b : Math.trunc(a / b)),
    traced: (a, b) => np.trueDivide(a, b),
  },
  Min: { host: (a, b) => Math.min(a, b), traced: (a, b) => np.minimum(a, b) },
  Max: { host: (a, b) => Math.max(a, b), traced: (a, b) => np.maximum(a, b) },
};

/** Two values, element by element, side by side. */
function combined({ host, traced }: Binary, a: Value, b: Value): Value {
  if (isHost(a) && isHost(b)) return mapped(a.type, [a, b], (x, y) => host(x, y, a.type));
  const rank = (other: Value) => (isHost(other) ? 0 : other.shape.length);
  return traced(operandOf(a, rank(b)), operandOf(b, rank(a)));
}

const binary =
  (rule: Binary): Operator =>
  (call) =>
    combined(rule, given(call, 0), given(call, 1));

/** Any number of values. */
const variadic =
  (rule: Binary): Operator =>
  (call) =>
    call.inputs.map((_, i) => given(call, i)).reduce((a, b) => combined(rule, a, b));

const comparisons: Record<string, (a: number, b: number) => boolean> = {
  Equal: (a, b) => a === b,
  Greater: (a, b) => a > b,
  GreaterOrEqual: (a, b) => a >= b,
  Less: (a, b) => a < b,
  LessOrEqual: (a, b) => a <= b,
  And: (a, b) => a !== 0 && b !== 0,
  Or: (a, b) => a !== 0 || b !== 0,
  Xor: (a, b) => (a !== 0) !== (b !== 0),
};

/** An input that does not come from the images: of what does, this operator passes no gradient. */
function fixed(call: Call, i: number): OnnxTensor {
  const value = given(call, i);
  if (isHost(value)) return value;
  throw new Blocked("passes no gradient");
}

const comparison =
  (rule: (a: number, b: number) => boolean): Operator =>
  (call) =>
    mapped("bool", [fixed(call, 0), fixed(call, 1)], (a, b) => Number(rule(a, b)));

function roundHalfToEven(x: number): number {
  const below = Math.floor(x);
  return x - below === 0.5 ? 2 * Math.round(x / 2) : Math.round(x);
}

/** Functions of numbers that are known before training, without a gradient. */
const steps: Record<string, (x: number) => number> = {
  Floor: Math.floor,
  Ceil: Math.ceil,
  Round: roundHalfToEven,
  Sign: Math.sign,
};

type Unary = { host?: (x: number) => number; traced: (x: np.Array, call: Call) => np.Array };

const times = (x: np.Array, factor: number) => (factor === 1 ? x : x.mul(factor));

const unary: Record<string, Unary> = {
  Neg: { host: (x) => -x, traced: (x) => x.mul(-1) },
  Abs: { host: Math.abs, traced: (x) => np.absolute(x) },
  Sqrt: { host: Math.sqrt, traced: (x) => np.sqrt(x) },
  Reciprocal: { host: (x) => 1 / x, traced: (x) => np.reciprocal(x) },
  Exp: { host: Math.exp, traced: (x) => np.exp(x) },
  Log: { host: Math.log, traced: (x) => np.log(x) },
  Sin: { host: Math.sin, traced: (x) => np.sin(x) },
  Cos: { host: Math.cos, traced: (x) => np.cos(x) },
  Erf: { traced: (x) => lax.erf(x) },
  Sigmoid: { traced: (x) => sigmoid(x) },
  Tanh: { host: Math.tanh, traced: (x) => sigmoid(x.mul(2)).mul(2).sub(1) },
  Relu: { host: (x) => Math.max(x, 0), traced: (x) => nn.relu(x) },
  LeakyRelu: {
    traced: (x, call) => {
      const slope = numberOf(call, "alpha", 0.01);
      return nn.relu(x.ref).sub(nn.relu(x.mul(-1)).mul(slope));
    },
  },
  Elu: {
    traced: (x, call) => {
      const below = np.exp(np.minimum(x.ref, 0)).sub(1);
      return nn.relu(x).add(times(below, numberOf(call, "alpha", 1)));
    },
  },
  HardSigmoid: {
    traced: (x, call) => {
      const [slope, middle] = [numberOf(call, "alpha", 0.2), numberOf(call, "beta", 0.5)];
      return nn.relu6(times(x, 6 * slope).add(6 * middle)).mul(1 / 6);
    },
  },
  HardSwish: { traced: (x) => hardSwish(x) },
  Softplus: { traced: (x) => softplus(x) },
  Mish: { traced: (x) => x.ref.mul(sigmoid(softplus(x).mul(2)).mul(2).sub(1)) },
  Gelu: {
    traced: (x, call) => (textOf(call, "approximate", "none") === "tanh" ? geluTanh : gelu)(x),
  },
};

/** log(1 + e^x) as max(x, 0) + log(1 + e^−|x|). */
function softplus(x: np.Array): np.Array {
  return nn.relu(x.ref).add(np.log(np.exp(np.absolute(x).mul(-1)).add(1)));
}

const unaryOperator =
  ({ host, traced }: Unary): Operator =>
  (call) => {
    const x = given(call, 0);
    if (host !== undefined && isHost(x)) return mapped(x.type, [x], host);
    return traced(arrayOf(x), call);
  };

/** x to a power that is known before training. */
function power(x: np.Array, exponent: number): np.Array {
  if (exponent < 0) return np.reciprocal(power(x, -exponent));
  if (exponent === 0) return x.mul(0).add(1);
  if (exponent === 0.5) return np.sqrt(x);
  if (exponent === 1) return x;
  if (exponent === 2) return np.square(x);
  if (Number.isInteger(exponent) && exponent <= 16) return x.ref.mul(power(x, exponent - 1));
  return np.exp(np.log(x).mul(exponent)); // of what is above 0
}

const pow: Operator = (call) => {
  const [x, y] = [given(call, 0), given(call, 1)];
  if (isHost(x) && isHost(y)) return mapped(x.type, [x, y], (a, b) => a ** b);
  if (!isHost(y)) throw new Blocked("passes no gradient to an exponent");
  const [exponent] = y.data;
  if (!y.data.every((value) => value === exponent) || y.shape.length > x.shape.length) {
    throw new Blocked("takes several exponents, expected one");
  }
  return power(arrayOf(x), exponent);
};

const mod: Operator = (call) => {
  const likeC = numberOf(call, "fmod", 0) === 1;
  const [a, b] = [fixed(call, 0), fixed(call, 1)];
  return mapped(a.type, [a, b], (x, y) => (likeC ? x % y : x - y * Math.floor(x / y)));
};

const bound = (call: Call, i: number): number | undefined => hostIf(call, i)?.data[0];

const clip: Operator = (call) => {
  const [x, least, most] = [given(call, 0), bound(call, 1), bound(call, 2)];
  if (isHost(x)) {
    return mapped(x.type, [x], (value) =>
      Math.min(most ?? Infinity, Math.max(least ?? -Infinity, value)),
    );
  }
  if (least === 0 && most === 6) return nn.relu6(x);
  if (least === 0 && most === undefined) return nn.relu(x);
  return np.clip(x, least, most);
};

const where: Operator = (call) => {
  const [condition, a, b] = [fixed(call, 0), given(call, 1), given(call, 2)];
  if (isHost(a) && isHost(b)) return mapped(a.type, [condition, a, b], (c, x, y) => (c ? x : y));
  const flags = np.array(Int32Array.from(condition.data), { shape: [...condition.shape] });
  return np.where(flags.astype(np.bool), arrayOf(a), arrayOf(b));
};

/** x where it is at least 0, else x times a learned slope. */
const prelu: Operator = (call) => {
  const x = array(call, 0);
  return nn.relu(x.ref).sub(nn.relu(x.mul(-1)).mul(array(call, 1)));
};

const castTo =
  (type: (call: Call) => string): Operator =>
  (call) => {
    const [x, to] = [given(call, 0), type(call)];
    if (to === "") throw new DataError("makes a type without numbers");
    if (isHost(x)) return tensor(to, x.shape, (i) => asType(to, x.data[i]));
    if (isFloat(to)) return x; // of 16, 32 or 64 bits: all is float32 here
    throw new Blocked(`passes no gradient from ${to}`);
  };

const all = <T>(table: Record<string, T>, make: (rule: T) => Operator): Record<string, Operator> =>
  Object.fromEntries(Object.entries(table).map(([name, rule]) => [name, make(rule)]));

const step =
  (f: (x: number) => number): Operator =>
  (call) => {
    const x = fixed(call, 0);
    return mapped(x.type, [x], f);
  };

/** Operators on one element, or one of each input. */
export const elementwise: Readonly<Record<string, Operator>> = {
  ...all(arithmetic, binary),
  ...all({ Sum: arithmetic.Add, Min: arithmetic.Min, Max: arithmetic.Max }, variadic),
  ...all(comparisons, comparison),
  ...all(steps, step),
  ...all(unary, unaryOperator),
  Pow: pow,
  Mod: mod,
  Clip: clip,
  Where: where,
  PRelu: prelu,
  Not: step((x) => Number(x === 0)),
  Cast: castTo((call) => textOf(call, "to", "")),
  CastLike: castTo((call) => {
    const like = given(call, 1);
    return isHost(like) ? like.type : "float32";
  }),
};
