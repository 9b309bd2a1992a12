import { lax, nn, numpy as np } from "@jax-js/jax";
import { z } from "zod";

import { type Layer, plain } from "./layer.ts";

const LOWEST = -60; // below it the exponential of the negative is left alone: its square would overflow

/** 1 / (1 + e^−x), with a finite slope everywhere. */
export const sigmoid = (x: np.Array): np.Array =>
  np.reciprocal(np.exp(np.maximum(x, LOWEST).mul(-1)).add(1));

/** min(max(x + 3, 0), 6) / 6. */
export const hardSigmoid = (x: np.Array): np.Array => nn.relu6(x.add(3)).mul(1 / 6);

/** x · min(max(x + 3, 0), 6) / 6. */
export const hardSwish = (x: np.Array): np.Array => x.ref.mul(hardSigmoid(x));

/** x / (1 + e^−x). */
export const silu = (x: np.Array): np.Array => x.ref.mul(sigmoid(x));

/** x/2 · (1 + erf(x/√2)), the exact form. */
export const gelu = (x: np.Array): np.Array =>
  x.ref.mul(0.5).mul(lax.erf(x.mul(Math.SQRT1_2)).add(1));

/** x/2 · (1 + tanh u) with u = √(2/π) · (x + 0.044715 x³), as x · sigmoid(2u). */
export const geluTanh = (x: np.Array): np.Array => {
  const inner = np.square(x.ref).mul(0.044715).add(1).mul(x.ref); // x + 0.044715 x³
  return x.mul(sigmoid(inner.mul(2 * Math.sqrt(2 / Math.PI))));
};

/**
 * Functions of every element, by the name that options use. GELU and its approximations: Hendrycks and Gimpel 2016,
 * arXiv:1606.08415; the hard ones: Howard et al. 2019, arXiv:1905.02244.
 */
export const activations = {
  relu: plain((x) => nn.relu(x)),
  relu6: plain((x) => nn.relu6(x)),
  hardSwish: plain(hardSwish),
  silu: plain(silu),
  gelu: plain(gelu),
  geluTanh: plain(geluTanh),
  /** x · sigmoid(1.702 x). */
  quickGelu: plain((x) => x.ref.mul(sigmoid(x.mul(1.702)))),
} satisfies Record<string, Layer>;

/** Which activation. */
export const Activation = z.enum(
  Object.keys(activations) as [keyof typeof activations, ...(keyof typeof activations)[]],
);
export type Activation = z.output<typeof Activation>;
