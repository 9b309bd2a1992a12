import { DeviceError } from "../../core/errors.ts";
import { Context, type Target } from "./context.ts";
import { convolutionRules } from "./convolution.ts";
import { dotRules } from "./dot.ts";
import { elementwiseRules } from "./elementwise.ts";
import { forms } from "./forms.ts";
import { indexingRules } from "./indexing.ts";
import { movementRules } from "./movement.ts";
import { dataTypeOf } from "../onnx.ts";
import { randomRules } from "./random.ts";
import { recognised } from "./recognised.ts";
import { reductionRules } from "./reduction.ts";
import type { Rules } from "./rule.ts";
import { recognisedRules, sortingRules } from "./sorting.ts";
import type { Spec } from "../spec.ts";
import type { Atom, Trace, Variable } from "../trace.ts";
import { type Value, wholeView } from "./value.ts";
import { windowRules } from "./window.ts";

const rules: Rules = {
  ...elementwiseRules,
  ...movementRules,
  ...reductionRules,
  ...dotRules,
  ...convolutionRules,
  ...windowRules,
  ...indexingRules,
  ...sortingRules,
  ...randomRules,
};

/** The primitives of jax-js that have a lowering. */
export const primitives: readonly string[] = Object.keys(rules);

const all: Rules = { ...rules, ...recognisedRules };

/** A traced program as an ONNX model: inputs are called i0, i1, …, outputs o0, o1, … */
export type Lowered = { bytes: Uint8Array; outputs: Spec[] };

function unsupported(trace: Trace, primitive: string): DeviceError {
  const where = trace.locate(primitive);
  return new DeviceError(
    `compile: the primitive "${primitive}" has no lowering to ONNX${where === undefined ? "" : `, used at ${where}`}`,
    `run it on the device "reference", or write it with ${primitives.slice(0, 8).join(", ")}, …`,
  );
}

/** Lowers a traced program for a target. Throws `DeviceError` naming a primitive that has no lowering. */
export function lower(trace: Trace, target: Target, producerVersion: string): Lowered {
  const ctx = new Context(target, forms);
  const values = new Map<Variable, Value>();
  trace.constants.forEach(({ variable, value }) => values.set(variable, ctx.constant(value)));
  trace.arguments.forEach((variable, i) => values.set(variable, argument(ctx, variable, i)));
  const valueOf = (atom: Atom): Value => {
    if (atom.value === undefined) return values.get(atom) as Value;
    const { shape, dtype } = atom.aval;
    return { kind: "literal", value: Number(atom.value), shape, dtype };
  };
  for (const { primitive, inputs, params, outBinders } of recognised(trace)) {
    const rule = Object.hasOwn(all, primitive) ? all[primitive] : undefined;
    if (rule === undefined) throw unsupported(trace, primitive);
    const shapes = outBinders.map(({ aval }) => aval.shape);
    const operands = harmonised(primitive, inputs, inputs.map(valueOf));
    const results = rule(ctx, operands, params, shapes);
    outBinders.forEach((variable, i) => values.set(variable, results[i]));
  }
  const outputs = trace.outputs.map((atom, i) => {
    const { shape, dtype } = atom.aval;
    result(ctx, valueOf(atom), i, dtype);
    return { shape, dtype };
  });
  return { bytes: ctx.graph.toBytes(producerVersion), outputs };
}

/**
 * Numbers take the element type of the arrays beside them, of constant ones where there are no others; indices
 * are not of the type of what they choose.
 */
function harmonised(primitive: string, inputs: readonly Atom[], operands: Value[]): Value[] {
  if (primitive === "gather" || primitive === "scatter") return operands;
  const first = primitive === "where" ? 1 : 0;
  const array =
    operands.slice(first).find(({ kind }) => kind !== "literal") ??
    operands.find((_, i) => i >= first && inputs[i].aval.weakType === false);
  if (array === undefined) return operands;
  return operands.map((operand, i) =>
    operand.kind === "literal" && i >= first ? { ...operand, dtype: array.dtype } : operand,
  );
}

function argument(ctx: Context, { aval: { shape, dtype } }: Variable, i: number): Value {
  ctx.graph.input(`i${i}`, dtype, shape);
  const name =
    dtype === "uint32" ? ctx.emit("Cast", [`i${i}`], { to: dataTypeOf("int64") }) : `i${i}`;
  return wholeView(name, shape, dtype);
}

function result(ctx: Context, value: Value, i: number, dtype: Value["dtype"]): void {
  const plain = ctx.plain(value);
  const name = dtype === "uint32" ? ctx.emit("Cast", [plain], { to: dataTypeOf("uint32") }) : plain;
  ctx.graph.output(`o${i}`, name, dtype, value.shape);
}
