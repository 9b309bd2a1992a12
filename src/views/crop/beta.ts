import type { RandomStream } from "../../core/random.ts";

/**
 * A draw from Beta(α, α): mean 1/2, variance 1 / (4·(2α + 1)); uniform at α = 1, heaped at 0 and 1 below.
 *
 * Jöhnk's method: x = U₁^(1/α) and y = U₂^(1/α) until x + y ≤ 1, then x / (x + y). In logarithms, since
 * x and y are 0 in double precision where α is small. One try in two succeeds at α = 1, more below.
 */
export function drawBeta(stream: RandomStream, alpha: number): number {
  for (;;) {
    const logX = Math.log(1 - stream.uniform()) / alpha; // 1 − U is never 0
    const logY = Math.log(1 - stream.uniform()) / alpha;
    const logSum = Math.max(logX, logY) + Math.log1p(Math.exp(-Math.abs(logX - logY)));
    if (logSum <= 0) return Math.exp(logX - logSum);
  }
}
