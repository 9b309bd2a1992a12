import { lax, numpy as np } from "@jax-js/jax";
import { z } from "zod";

import { full } from "../core/arrays.ts";
import { constantLike } from "../core/constantLike.ts";
import { ConfigError } from "../core/errors.ts";
import { LOWEST } from "../core/numerics.ts";
import type { Term } from "../core/pairs.ts";
import { Count } from "../core/ranges.ts";
import { entriesAt, sumEntriesAt } from "../core/rowEntries.ts";
import { checkShapes } from "../core/shape.ts";
import { topMask } from "../core/topMask.ts";
import { distinctOthers, refreshGraph, UNSEEN, walk } from "./neighbourGraph.ts";
import { defineSampler, type Scene } from "./sampler.ts";

const PropagateOptions = z.strictObject({
  variant: z
    .enum(["set", "multiset"])
    .default("set")
    .describe(
      '"set" as in the paper: found rows count once and are no negatives; "multiset" as released',
    ),
  neighbours: Count.default(4).describe("k, nearest rows kept for every image"),
  steps: z.int().positive().max(64).default(3).describe("l, steps along the graph of nearest rows"),
  hardPositives: Count.default(50).describe(
    "P, found rows that attract: those least similar to the anchor",
  ),
  hardNegatives: Count.default(4096).describe(
    "M, nearest rows among which the negatives are; at most the whole bank",
  ),
  weight: z
    .number()
    .min(0)
    .max(1e4)
    .default(0.6)
    .describe("λ, weight of the invariance term beside the instance term"),
});
type PropagateOptions = z.output<typeof PropagateOptions>;

/** Rows of the bank that an anchor reaches. */
export type Found = {
  /** [N, L] int32 rows with 0 in `hard` where they do not attract. */
  columns: np.Array;
  /** [N, L] 1 at the hardest found rows; in "multiset" a row stands as often as it was reached. */
  hard: np.Array;
  /** [N, M] 1 at every row found, the anchor's own left out. */
  mask: np.Array;
};

/** Rows along the graph [M, k] from rows `own` [N], by cosines [N, M]. Lent: all arrays. */
export function findPositives(
  similarity: np.Array,
  graph: np.Array,
  own: np.Array,
  { variant, steps, hardPositives }: Pick<PropagateOptions, "variant" | "steps" | "hardPositives">,
): Found {
  const reached = np.concatenate(walk(graph.ref, own.ref, steps), 1); // [N, L]
  const sorted = np.sort(lax.stopGradient(reached.ref)); // [N, L]
  const distinct = distinctOthers(sorted, own, similarity); // [N, L]
  const inside = (columns: np.Array) => np.where(columns.ref.less(0), 0, columns); // [N, L]
  const mask = sumEntriesAt(similarity.ref, inside(sorted.ref), distinct.ref); // [N, M]
  const set = variant === "set";
  const known = set ? distinct : reached.ref.greaterEqual(0).astype(similarity.dtype); // [N, L]
  const columns = inside(set ? sorted : reached); // [N, L]
  const distance = entriesAt(similarity.ref, columns.ref).neg(); // [N, L]
  const eligible = np.where(known.ref.greater(0), distance, LOWEST); // [N, L]
  return { columns, hard: topMask(eligible, hardPositives).mul(known), mask };
}

/** The invariance term. Lent: `scene`, `found`; consumes `negative` [N, M], those among the nearest. */
function invarianceTerm(
  { similarity, active }: Scene,
  found: Found,
  negative: np.Array,
  { variant, weight }: PropagateOptions,
): Term {
  const set = variant === "set";
  const flag = (condition: np.Array) => condition.astype(similarity.dtype);
  const others = set ? negative.mul(np.subtract(1, found.mask.ref)) : negative; // [N, M]
  const opposed = flag(others.ref.sum(-1, { keepdims: true }).greater(0)); // [N, 1]
  const hard = sumEntriesAt(similarity.ref, found.columns.ref, found.hard.ref); // [N, M]
  const positive = hard.mul(opposed); // [N, M]
  const attracted = flag(positive.ref.sum(-1).greater(0)); // [N]
  return {
    pairs: { positive, negative: others },
    weight: attracted.mul(flag(active.ref)).mul(constantLike(similarity, weight)), // [N]
    ...(set ? {} : { denominator: "none" as const }),
  };
}

/**
 * Positives along the bank: the neighbours of an image's row, their neighbours, and so on, found by walking
 * `steps` steps over a graph of each row's nearest rows. Of those the least similar attract: reached through
 * a dense region they are taken for the same thing seen differently.
 *
 * Two terms. The instance term: the own row against the `hardNegatives` nearest rows. The invariance term,
 * weight λ: the hard positives against the same rows, without those found ("set"), or with them and as often
 * as they were reached ("multiset", which may be negative). It is 0 for an anchor that has found nothing
 * or has no negatives left. Both formulas sum over the positives inside the logarithm: use
 * `infoNce` with positives "inside" (and, for the released "multiset", epsilon 10⁻⁷).
 *
 * The graph's row of an image is renewed when the image is seen; before that nothing is found from it.
 * The bank is random at first: `warmup` holds the invariance term back, by default for a tenth of the run
 * (published: 30 of 800 epochs); the instance term and the graph do not wait.
 *
 * Costs two partial sorts of the similarities and L = k + k² + … look-ups an anchor.
 */
export const propagate = defineSampler({
  name: "propagate",
  summary: "Attracts rows of the bank that are reached over nearest neighbours of neighbours.",
  source: "Wang et al. 2020, arXiv:2010.11694; multiset: its released code",
  options: PropagateOptions,
  findsPositives: true,
  hardens: true,
  reasons: { dropped: "far or found", promoted: "propagated" },
  needs: ["bank"],
  sets: ({ variant }) => (variant === "multiset" ? ["denominator"] : []),
  warmup: 0.1,
  gates: true,
  metrics: { positivesFound: "mean number of rows of other images that an anchor reaches" },
  state({ neighbours }, { datasetSize }) {
    if (datasetSize < 2) {
      throw new ConfigError(`propagate: the dataset has ${datasetSize} image, expected at least 2`);
    }
    return { graph: full([datasetSize, Math.min(neighbours, datasetSize - 1)], UNSEEN, "int32") };
  },
  apply(scene, { positive, negative }, options) {
    const { similarity, anchors, state } = scene;
    const { M, K, B } = checkShapes("propagate", {
      similarity: [similarity, "N M"],
      graph: [state.graph, "M K"],
      support: [scene.support, "S B M"],
    });
    const { hardNegatives } = options;
    const near =
      hardNegatives < M ? negative.mul(topMask(similarity.ref, hardNegatives)) : negative; // [N, M]
    const found = findPositives(similarity, state.graph, anchors.ids, options);
    // with several anchors an image its first view renews the graph
    const rows = anchors.ids.ref.slice([0, B]); // [B]
    const [cosines, fresh] = lax.topK(similarity.ref.slice([0, B]), K + 1); // [B, K + 1]
    cosines.dispose();
    return {
      terms: [
        { pairs: { positive, negative: near.ref } },
        invarianceTerm(scene, found, near, options),
      ],
      state: { graph: refreshGraph(state.graph, rows, fresh, similarity) },
      metrics: { positivesFound: found.mask.sum(-1).mean() },
    };
  },
});
