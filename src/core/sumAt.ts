import { lax, type numpy as np, vjp } from "@jax-js/jax";

/**
 * Zeros of the shape [C, …] of `like` with `values` [I…, …] added at the rows `ids` [I…] int32. Repeated
 * ids add up. Of `like` only shape and type matter. No gradient. Consumes all arguments.
 */
export function sumAt(like: np.Array, ids: np.Array, values: np.Array): np.Array {
  // jax-js 0.1.25 cannot scatter what is a mere view of another array; this makes arrays of views
  const [places, updates] = [lax.stopGradient(ids), lax.stopGradient(values)];
  // the transpose of a look-up is a sum into zeros at the same places; nothing looked up is kept
  const [looked, transpose] = vjp((x: np.Array) => x.slice(places), [lax.stopGradient(like)]);
  looked.dispose();
  const [sum] = transpose(updates);
  return sum;
}
