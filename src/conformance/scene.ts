import { lax, numpy as np } from "@jax-js/jax";

import type { Marks, Term } from "../core/pairs.ts";
import { infoNce } from "../losses/index.ts";
import type { Scene } from "../sampling/index.ts";

/** Marks of `count` rows of which nothing is known. */
function unknown(count: number): Marks {
  const nobody = np.full([count], -1, { dtype: np.int32 }); // [count]
  return { ids: nobody.ref, groups: nobody.ref, labels: nobody };
}

/**
 * What a sampler looks at, after its warm-up: similarities [N, M], whatever else is given, and of everything
 * else nothing. `similarity` is lent; it may carry a gradient, the scene's does not.
 */
export function sceneFor(similarity: np.Array, given: Partial<Scene> = {}): Scene {
  const [n, m] = similarity.shape;
  const seen = lax.stopGradient(similarity.ref); // [N, M]
  return {
    similarity: seen,
    ranking: seen.ref,
    support: seen.ref.reshape([1, n, m]), // [1, N, M]
    ownViews: [],
    ownIds: [],
    anchors: unknown(n),
    candidates: unknown(m),
    pool: m,
    active: np.array(1, { dtype: seen.dtype }),
    inputs: {},
    state: {},
    ...given,
  };
}

/** Options of `infoNce` that hold for all terms that do not set them. */
export type TermOptions = NonNullable<Parameters<typeof infoNce>[2]>;

/** `infoNce` of one term without its weight: [N]. `similarity` is lent; consumes the term's pairs. */
export function termLoss(similarity: np.Array, term: Term, options: TermOptions): np.Array {
  const { temperature, denominator } = term;
  return infoNce(similarity.ref, term.pairs, {
    ...options,
    ...(temperature === undefined ? {} : { temperature }),
    ...(denominator === undefined ? {} : { denominator }),
  });
}

/** Sum over terms of weight · `infoNce`: [N]. `similarity` is lent; consumes the terms. */
export function termsLoss(
  similarity: np.Array,
  terms: readonly Term[],
  options: TermOptions,
): np.Array {
  const each = terms.map((term) => {
    const loss = termLoss(similarity, term, options); // [N]
    return term.weight === undefined ? loss : loss.mul(lax.stopGradient(term.weight));
  });
  return each.reduce((sum, loss) => sum.add(loss));
}
