import type { HostArray } from "../../core/arrays.ts";
import type { Atom, Equation, Trace, Variable } from "../trace.ts";
import { sameShape } from "./value.ts";

/**
 * Some functions of jax-js are written out of simple operations that cost far more than what they
 * compute. Here they are found in the traced program and replaced by one equation each.
 */
type Program = {
  made: ReadonlyMap<Variable, Equation>;
  constants: ReadonlyMap<Variable, HostArray>;
};

const maker = ({ made }: Program, atom: Atom, primitive: string): Equation | undefined => {
  const equation = made.get(atom);
  return equation?.primitive === primitive ? equation : undefined;
};

/** What an atom was before its elements were only counted otherwise. */
function unshaped(program: Program, atom: Atom): Atom {
  const reshape = maker(program, atom, "reshape");
  return reshape ? unshaped(program, reshape.inputs[0]) : atom;
}

/** Whether an atom is a constant of these numbers, in whatever shape. */
function isConstant(program: Program, atom: Atom, length: number, at: (i: number) => number) {
  const data = program.constants.get(unshaped(program, atom))?.data;
  return data?.length === length && data.every((value, i) => value === at(i));
}

/** The two orders of operands of what commutes. */
const bothWays = ([a, b]: Atom[]): [Atom, Atom][] => [
  [a, b],
  [b, a],
];

/** x and its extreme along an axis, where a comparison asks which elements are equal to it. */
function extremeOf(program: Program, equal: Equation, axis: number) {
  for (const [x, other] of bothWays(equal.inputs)) {
    const reduce = maker(program, unshaped(program, other), "reduce");
    const { op, axis: axes } = (reduce?.params ?? {}) as { op?: string; axis?: number[] };
    const same = reduce?.inputs[0] === x && axes?.length === 1 && axes[0] === axis;
    if (same && (op === "Max" || op === "Min")) return { x, largest: op === "Max" };
  }
  return undefined;
}

/** The axis of a reduction over one axis, where it is of this kind. */
function onlyAxis(reduce: Equation, wanted: string): number | undefined {
  const { op, axis } = reduce.params as { op: string; axis: number[] };
  return op === wanted && axis.length === 1 ? axis[0] : undefined;
}

/** The comparison behind flags that were made integers: (a = b) as int32. */
function equality(program: Program, flags: Atom): Equation | undefined {
  const cast = flags.aval.dtype === "int32" ? maker(program, flags, "cast") : undefined;
  const compare = cast && maker(program, cast.inputs[0], "compare");
  return compare?.params["op"] === "equal" ? compare : undefined;
}

/** Whether an atom is n, n − 1, …, 1 along an axis of arrays like `beside`. */
function countsDown(program: Program, atom: Atom, beside: Atom, axis: number): boolean {
  const [shape, length] = [beside.aval.shape, beside.aval.shape[axis]];
  const along = atom.aval.shape.at(axis - shape.length) === length;
  return along && isConstant(program, atom, length, (i) => length - i);
}

/** argmax and argmin: the largest of (x = extreme) · (n, n − 1, …, 1) is n − the first such position. */
function argExtreme(program: Program, reduce: Equation): Equation | undefined {
  const axis = onlyAxis(reduce, "Max");
  const product = maker(program, reduce.inputs[0], "mul");
  if (axis === undefined || product === undefined) return undefined;
  for (const [flags, weights] of bothWays(product.inputs)) {
    const equal = equality(program, flags);
    if (equal === undefined || !countsDown(program, weights, flags, axis)) continue;
    const found = extremeOf(program, equal, axis);
    if (found === undefined || found.x.aval.dtype === "bool") continue;
    const params = { axis, largest: found.largest };
    return { ...reduce, primitive: "arg_extreme", inputs: [found.x], params };
  }
  return undefined;
}

/** d where a condition [n, n] says j ≤ i + d; `undefined` where it says something else. */
function diagonalOf(program: Program, condition: Atom): number | undefined {
  const compare = maker(program, condition, "compare");
  const { shape } = condition.aval;
  const length = shape.at(-1) as number;
  if (compare === undefined || shape.join() !== `${length},${length}`) return undefined;
  const [columns, rows] = compare.inputs;
  const first = program.constants.get(unshaped(program, rows))?.data[0];
  const placed = columns.aval.shape.at(-1) === length && rows.aval.shape.join() === `${length},1`;
  if (first === undefined || !placed) return undefined;
  const counted =
    isConstant(program, columns, length, (i) => i) &&
    isConstant(program, rows, length, (i) => first + i);
  const strict = { less_equal: 0, less: 1 }[String(compare.params["op"])];
  return counted && strict !== undefined ? first - strict : undefined;
}

/** The axis that a broadcast adds, where it adds one. */
function addedAxis(broadcast: Equation | undefined): number | undefined {
  const axes = broadcast?.params["axis"] as number[] | undefined;
  return axes?.length === 1 ? axes[0] : undefined;
}

/** Cumulative sums, written as sums over a triangle of copies; from the end where they are a gradient. */
function cumulativeSum(program: Program, reduce: Equation): Equation | undefined {
  const axis = onlyAxis(reduce, "Add");
  const choice = maker(program, reduce.inputs[0], "where");
  if (axis === undefined || choice === undefined) return undefined;
  const [condition, copies, otherwise] = choice.inputs;
  const broadcast = maker(program, copies, "broadcast");
  const [last, diagonal] = [copies.aval.shape.length - 1, diagonalOf(program, condition)];
  const axes = [axis, addedAxis(broadcast)].join();
  const reverse = axes === `${last - 1},${last}`;
  const triangle = reverse || axes === `${last},${last - 1}`;
  if (broadcast === undefined || !triangle || otherwise.value !== 0) return undefined;
  const same = sameShape(broadcast.inputs[0].aval.shape, reduce.outBinders[0].aval.shape);
  if (!same || (diagonal !== 0 && diagonal !== -1)) return undefined;
  const params = { exclusive: diagonal === -1, reverse };
  return { ...reduce, primitive: "cumulative_sum", inputs: broadcast.inputs, params };
}

/** Equations that an output depends on. */
function needed(equations: readonly Equation[], outputs: readonly Atom[]): Equation[] {
  const used = new Set<Variable>(outputs);
  const kept = [...equations].reverse().filter(({ inputs, outBinders }) => {
    const wanted = outBinders.some((variable) => used.has(variable));
    if (wanted) inputs.forEach((atom) => used.add(atom));
    return wanted;
  });
  return kept.reverse();
}

/** The equations of a traced program, with what is recognised replaced and what is left over dropped. */
export function recognised({ equations, constants, outputs }: Trace): Equation[] {
  const made = new Map(equations.flatMap((e) => e.outBinders.map((variable) => [variable, e])));
  const known = new Map(constants.map(({ variable, value }) => [variable, value]));
  const program: Program = { made, constants: known };
  const replaced = equations.map((equation) =>
    equation.primitive === "reduce"
      ? (argExtreme(program, equation) ?? cumulativeSum(program, equation) ?? equation)
      : equation,
  );
  return needed(replaced, outputs);
}
