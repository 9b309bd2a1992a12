import { numpy as np } from "@jax-js/jax";

import { type ArrayRecord, type ArrayTree, differentiate, refArrays } from "../../core/trees.ts";
import type { Network } from "../../encoders/index.ts";
import { averageRecords, type Update } from "../../optim/index.ts";
import { gradientNorm } from "../judge/contrast.ts";
import type { Parts } from "../parts.ts";
import { type Model, type ModelParameters, type ModelStatistics, type State } from "./state.ts";

/** Encoder, then head: images [N, 3, H, W] to embeddings [N, E], while training. Consumes all. */
export function project(
  parts: Pick<Parts, "encoder" | "head">,
  parameters: ModelParameters,
  statistics: ModelStatistics,
  images: np.Array,
): { embedding: np.Array; statistics: ModelStatistics } {
  const mode = { training: true };
  const body = parts.encoder.apply(
    { parameters: parameters.encoder, statistics: statistics.encoder },
    images,
    mode,
  );
  const top = parts.head.apply(
    { parameters: parameters.head, statistics: statistics.head },
    body.features,
    mode,
  );
  return {
    embedding: top.features,
    statistics: { encoder: body.statistics, head: top.statistics },
  };
}

/** One record of all parameters, for optimisers. Heads name theirs `head.…`, encoders never do. */
const joined = ({ encoder, head }: ModelParameters): ArrayRecord => ({ ...encoder, ...head });

function parted(parts: Parts, all: ArrayRecord): ModelParameters {
  const pick = (names: string[]) => Object.fromEntries(names.map((name) => [name, all[name]]));
  return {
    encoder: pick(Object.keys(parts.encoder.parameters)),
    head: pick(Object.keys(parts.head.parameters)),
  };
}

/** Statistics after something, those that a network leaves as they are taken from before it. Consumes both. */
export function settled(
  { fixed = [] }: Pick<Network, "fixed">,
  before: ArrayRecord,
  after: ArrayRecord,
): ArrayRecord {
  const stay = new Set(fixed);
  const chosen = (name: string) => (stay.has(name) ? [before, after] : [after, before]);
  return Object.fromEntries(
    Object.keys(after).map((name) => {
      const [taken, left] = chosen(name);
      left[name].dispose();
      return [name, taken[name]];
    }),
  );
}

/** Learning rates of a step: scalars by their names in `Update`. */
export type Rates = Pick<Update, "learningRate" | "bodyRate">;

/** Moves a state along a gradient. Slots that it does not touch (key, memory) are left to the caller. */
export function descend(
  parts: Parts,
  state: Pick<State, "encoder" | "head" | "optimiser" | "average">,
  change: { gradient: ModelParameters; statistics: ModelStatistics; rates: Rates },
): Pick<State, "encoder" | "head" | "optimiser" | "average"> {
  const after = parts.optimiser.update({
    parameters: joined({ encoder: state.encoder.parameters, head: state.head.parameters }),
    gradient: joined(change.gradient),
    state: state.optimiser,
    ...change.rates,
  });
  const parameters = parted(parts, after.parameters);
  const model: Model = {
    encoder: { parameters: parameters.encoder, statistics: change.statistics.encoder },
    head: { parameters: parameters.head, statistics: change.statistics.head },
  };
  if (state.average === undefined) return { ...model, optimiser: after.state };
  const average = averageModel(parts, state.average, refModel(model));
  return { ...model, optimiser: after.state, average };
}

/** What an objective returns beside the loss: `kept` is whatever the caller wants back, without gradient. */
export type Extra<K> = { statistics: ModelStatistics; metrics: ArrayRecord; kept: K };

/**
 * Gradient of an objective at the state's model. The model's parameters stay with the state; its
 * statistics are given to the objective.
 */
export function gradientAt<K extends ArrayTree>(
  parts: Parts,
  state: State,
  objective: (parameters: ModelParameters, statistics: ModelStatistics) => [np.Array, Extra<K>],
): { gradient: ModelParameters } & Extra<K> {
  const parameters = { encoder: state.encoder.parameters, head: state.head.parameters };
  const statistics = { encoder: state.encoder.statistics, head: state.head.statistics };
  const { value, gradient, extra } = differentiate(objective)(refArrays(parameters), statistics);
  const norm: ArrayRecord = parts.metrics
    ? { gradientNorm: gradientNorm(joined(refArrays(gradient))) }
    : {};
  return { ...extra, gradient, metrics: { loss: value, ...extra.metrics, ...norm } };
}

/** A second reference to a model. */
const refModel = (model: Model): Model => refArrays(model);

/** average · decay + model · (1 − decay) for parameters and statistics. Consumes both. */
function averageModel(parts: Parts, average: Model, model: Model): Model {
  const mix = (old: ArrayRecord, fresh: ArrayRecord) => averageRecords(old, fresh, parts.averaging);
  const of = (part: "encoder" | "head") => {
    const [old, fresh] = [average[part], model[part]];
    const statistics = mix(refArrays(old.statistics), fresh.statistics);
    return {
      parameters: mix(old.parameters, fresh.parameters),
      statistics: settled(parts[part], old.statistics, statistics),
    };
  };
  return { encoder: of("encoder"), head: of("head") };
}

/** A state with what its samplers keep; a state whose samplers keep nothing has no such slot. */
export const withSampling = <S extends object, R extends object>(state: S, sampling: R) =>
  Object.keys(sampling).length === 0 ? state : { ...state, sampling };
