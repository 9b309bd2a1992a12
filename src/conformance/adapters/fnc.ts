import { lax, numpy as np } from "@jax-js/jax";
import { z } from "zod";

import type { HostRecord } from "../../core/arrays.ts";
import { l2Normalize } from "../../core/numerics.ts";
import { type Pairs, refPairs } from "../../core/pairs.ts";
import { samplers } from "../../sampling/index.ts";
import { defineAdapter, integers, rows, temperature, views } from "../adapter.ts";
import { differentiated, type Machine, type Outputs } from "../machine.ts";
import { matrixOf } from "../nested.ts";
import { sceneFor, termsLoss } from "../scene.ts";
import { SelectParams, supportCosine } from "./fncSelect.ts";
import { pairsOf } from "./twoViews.ts";

const Params = SelectParams.extend({
  form: z.enum(["batch", "memory", "candidates"]),
  temperature,
  strategy: z.enum(["attract", "eliminate"]),
});
type Params = z.output<typeof Params>;

const ViewInputs = z.object({ views, labels: integers.optional() });
const MemoryInputs = z.object({ views, keys: views, memory: rows });
const CandidateInputs = z.object({
  anchor: rows,
  positive: rows,
  support: views,
  candidates: rows,
});

/** Loss of each anchor after the sampler, and the negatives that it took away: [N], [N, M]. Consumes all. */
function cancelled(similarity: np.Array, support: np.Array, pairs: Pairs, params: Params) {
  const { aggregation, topK, threshold, strategy: action, temperature: t } = params;
  const scene = sceneFor(similarity, { support: lax.stopGradient(support) });
  const options = { aggregation, topK, threshold, action, warmup: 0 };
  const before = pairs.negative.ref; // [N, M]
  const { terms } = samplers.falseNegatives.apply(scene, pairs, options);
  const mask = before.sub(terms[0].pairs.negative.ref); // [N, M]
  return { perAnchor: termsLoss(similarity, terms, { temperature: t }), mask };
}

/** Pairs of V·B anchors with columns that begin with V·B views of the same images, view-major. */
function viewPairs([V, B]: [number, number], columns: number, machine: Machine): HostRecord {
  const count = V * B;
  const own = (i: number, j: number) => j < count && j % B === i % B;
  return {
    positive: machine.reals(matrixOf(count, columns, (i, j) => own(i, j) && i !== j)),
    negative: machine.reals(matrixOf(count, columns, (i, j) => !own(i, j))),
  };
}

/** Raw rows of views [V, B, D] as unit rows [V·B, D]. Consumes. */
const flatUnit = (raw: np.Array): np.Array => l2Normalize(raw.reshape([-1, raw.shape[2]]));

function perView(perAnchor: np.Array, [V, B]: [number, number]): np.Array {
  return perAnchor.reshape([V, B]).mean(-1); // [V]
}

/** How well the mask [B][V·B] finds columns of the same label. */
function detection(mask: number[][], labels: readonly number[]) {
  const images = labels.length;
  const columns = mask.flatMap((row, b) =>
    row.flatMap((on, column) => {
      const image = column % images;
      return image === b ? [] : [{ on, same: Number(labels[image] === labels[b]) }];
    }),
  );
  const total = (of: (column: { on: number; same: number }) => number) =>
    columns.reduce((sum, column) => sum + of(column), 0);
  const [selected, truePositive] = [total(({ on }) => on), total(({ on, same }) => on * same)];
  const same = total((column) => column.same);
  return {
    selected,
    truePositive,
    precision: selected === 0 ? null : truePositive / selected,
    recall: same === 0 ? null : truePositive / same,
    baseRate: columns.length === 0 ? null : same / columns.length,
  };
}

/** Every view against every view of the batch. */
async function batchForm(
  params: Params,
  { views: given, labels }: z.output<typeof ViewInputs>,
  machine: Machine,
): Promise<Outputs> {
  const sizes: [number, number] = [given.length, given[0].length];
  const pairs = viewPairs(sizes, sizes[0] * sizes[1], machine);
  const variables = { views: machine.reals(given, "views") };
  const outputs = await differentiated(machine, variables, pairs, (raw, constants) => {
    const unit = flatUnit(raw.views); // [N, D]
    const similarity = np.matmul(unit.ref, unit.transpose()); // [N, N]
    const support = similarity.ref.reshape([...sizes, -1]); // [V, B, N]
    const { perAnchor, mask } = cancelled(similarity, support, pairsOf(constants), params);
    return {
      perAnchor,
      perView: perView(perAnchor.ref, sizes),
      mask: mask.slice([0, sizes[1]]), // [B, N]
    };
  });
  const found = labels && { detection: detection(outputs.mask as number[][], labels) };
  return { ...outputs, ...found };
}

/** Views against keys of the same images and older ones. */
function memoryForm(
  params: Params,
  { views: given, keys, memory }: z.output<typeof MemoryInputs>,
  machine: Machine,
): Promise<Outputs> {
  const sizes: [number, number] = [given.length, given[0].length];
  const count = sizes[0] * sizes[1];
  const constants = {
    ...viewPairs(sizes, count + memory.length, machine),
    keys: machine.reals(keys, "keys"),
    memory: machine.reals(memory, "memory"),
  };
  const variables = { views: machine.reals(given, "views") };
  return differentiated(machine, variables, constants, (raw, fixed) => {
    const own = flatUnit(fixed.keys); // [N, D]
    const columns = np.concatenate([own.ref, l2Normalize(fixed.memory)], 0); // [M, D]
    const support = np.matmul(own, columns.ref.transpose()).reshape([...sizes, -1]); // [V, B, M]
    const similarity = np.matmul(flatUnit(raw.views), columns.transpose()); // [N, M]
    const pairs = refPairs(pairsOf(fixed));
    const { perAnchor, mask } = cancelled(similarity, support, pairs, params);
    return {
      perAnchor,
      perView: perView(perAnchor.ref, sizes),
      mask: mask.slice([0, sizes[1]]), // [B, M]
    };
  });
}

/** One positive for each anchor, and candidates that all anchors share. */
function candidatesForm(
  params: Params,
  inputs: z.output<typeof CandidateInputs>,
  machine: Machine,
): Promise<Outputs> {
  const [n, m] = [inputs.anchor.length, inputs.candidates.length];
  const constants = {
    support: machine.reals(inputs.support, "support"),
    positive: machine.reals(matrixOf(n, 1 + m, (_, j) => j === 0)),
    negative: machine.reals(matrixOf(n, 1 + m, (_, j) => j > 0)),
  };
  const variables = {
    anchor: machine.reals(inputs.anchor, "anchor"),
    positive: machine.reals(inputs.positive, "positive"),
    candidates: machine.reals(inputs.candidates, "candidates"),
  };
  return differentiated(machine, variables, constants, (raw, fixed) => {
    const anchor = l2Normalize(raw.anchor); // [n, D]
    const candidates = l2Normalize(raw.candidates); // [M, D]
    const own = anchor.ref.mul(l2Normalize(raw.positive)).sum(-1, { keepdims: true }); // [n, 1]
    const others = np.matmul(anchor, candidates.ref.transpose()); // [n, M]
    const similarity = np.concatenate([own, others], 1); // [n, 1 + M]
    const seen = supportCosine(l2Normalize(fixed.support), candidates); // [S, n, M]
    const none = np.zeros([seen.shape[0], n, 1]).astype(seen.dtype); // column 0 is no candidate
    const support = np.concatenate([none, seen], 2); // [S, n, 1 + M]
    const result = cancelled(similarity, support, pairsOf(fixed), params);
    return { perAnchor: result.perAnchor, mask: result.mask.slice([], [1]) };
  });
}

/** The sampler `falseNegatives`, and `infoNce` over what it makes of the pairs. */
export const fnc = defineAdapter({
  params: Params,
  inputs: z.union([CandidateInputs, MemoryInputs, ViewInputs]),
  run(params, inputs, machine) {
    if (params.form === "batch") return batchForm(params, ViewInputs.parse(inputs), machine);
    if (params.form === "memory") return memoryForm(params, MemoryInputs.parse(inputs), machine);
    return candidatesForm(params, CandidateInputs.parse(inputs), machine);
  },
});
