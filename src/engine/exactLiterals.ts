import { numpy as np } from "@jax-js/jax";

type Scalar = { ndim: number; dtype: string; weakType: boolean };
type CastRule = (arrays: Scalar[], to: { dtype: string }) => [Scalar];
type Prototype = {
  dataSync: (this: Scalar) => ArrayLike<number>;
  constructor: { _implRules(): { cast: CastRule } };
};

/**
 * Runs a function in whose traces plain numbers keep all their digits.
 *
 * jax-js 0.1.25 reads numbers of a traced function (`x.mul(1 / 3)`, the 1 / n of a mean) as float32 even where
 * x is float64; outside of traces it does not. Only while `run` runs, a number without a type of its own is read
 * as float64.
 */
export function withExactLiterals<T>(run: () => T): T {
  const probe = np.array(0);
  const prototype = Object.getPrototypeOf(probe) as Prototype;
  probe.dispose();
  const { cast } = prototype.constructor._implRules(); // not `astype`: that would be traced as well
  const read = prototype.dataSync;
  prototype.dataSync = function () {
    const number = this.ndim === 0 && this.dtype === "float32" && this.weakType;
    return read.call(number ? cast([this], { dtype: "float64" })[0] : this);
  };
  try {
    return run();
  } finally {
    prototype.dataSync = read;
  }
}
