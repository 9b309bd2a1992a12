import type { Context } from "./context.ts";
import type { Value } from "./value.ts";

/** How one primitive becomes operations of the graph: operands and parameters to results. */
export type Rule = (
  ctx: Context,
  operands: Value[],
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as jax-js declares it
  params: Record<string, any>,
  shapes: readonly (readonly number[])[],
) => Value[];

/** Rules by the name that jax-js gives the primitive. */
export type Rules = Record<string, Rule>;
