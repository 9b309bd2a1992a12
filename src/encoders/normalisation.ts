import { numpy as np } from "@jax-js/jax";
import { z } from "zod";

import { ConfigError, ShapeError } from "../core/errors.ts";
import { Width } from "../core/ranges.ts";
import { constant } from "./initial.ts";
import { type Layer, plain, type Scope } from "./layer.ts";

/** Added to variances before the root. */
const EPSILON = 1e-5;
/** Share of the newest batch in the running statistics. */
const MOMENTUM = 0.1;

/** Which normalisation follows each convolution. */
export const Normalisation = z
  .union([
    z.enum(["batch", "none"]),
    z.strictObject({ splitBatch: Width }),
    z.strictObject({ group: Width }),
  ])
  .default("batch")
  .describe(
    'normalisation: "batch", { splitBatch: parts of the batch normalised apart }, { group: channel groups } or "none"',
  );
export type Normalisation = z.output<typeof Normalisation>;

/** A normalisation layer over the channels (axis 1) of [N, C] or [N, C, H, W]. */
export function normalisation(
  kind: Normalisation,
  name: string,
  channels: number,
  { startAtZero = false, epsilon = EPSILON } = {},
): Layer {
  if (kind === "none") return plain((x) => x);
  const affine = {
    [`${name}.weight`]: constant(channels, startAtZero ? 0 : 1),
    [`${name}.bias`]: constant(channels, 0),
  };
  if (typeof kind === "object" && "group" in kind) {
    if (channels % kind.group !== 0) {
      throw new ConfigError(
        `normalisation: ${channels} channels of ${name} do not divide into ${kind.group} groups`,
      );
    }
    const groups = kind.group;
    const apply: Layer["apply"] = (scope, x) => groupNorm(scope, x, { name, groups, epsilon });
    return { parameters: affine, statistics: {}, apply };
  }
  const splits = kind === "batch" ? 1 : kind.splitBatch;
  return {
    parameters: affine,
    statistics: {
      [`${name}.running_mean`]: constant(channels, 0),
      [`${name}.running_var`]: constant(channels, 1),
    },
    apply: (scope, x) =>
      scope.trains(name)
        ? trainingNorm(scope, x, { name, splits, epsilon })
        : evaluationNorm(scope, x, { name, epsilon }),
  };
}

/** [C] repeated for every split, as a vector along axis 1 of an array with `axes` axes. */
function alongChannels(vector: np.Array, splits: number, axes: number): np.Array {
  const [channels] = vector.shape;
  const tail = new Array<number>(axes - 2).fill(1);
  const repeated =
    splits === 1 ? vector : np.broadcastTo(vector.reshape([1, channels]), [splits, channels]);
  return repeated.reshape([1, splits * channels, ...tail]);
}

/**
 * (x − mean) / √(variance + ε) · weight + bias with the mean and the biased variance of the batch.
 *
 * With several splits, image i belongs to split i mod splits: a reshape to [N / splits, splits · C, …]
 * puts every split into channels of its own. Running statistics get the mean over the splits.
 */
function trainingNorm(
  scope: Scope,
  x: np.Array,
  { name, splits, epsilon }: { name: string; splits: number; epsilon: number },
): np.Array {
  const [n, channels, ...rest] = x.shape;
  if (n % splits !== 0) {
    throw new ShapeError(`${name}: a batch of ${n} images does not divide into ${splits} splits`);
  }
  const axes = x.shape.map((_, i) => i).filter((i) => i !== 1);
  const count = (n / splits) * rest.reduce((product, size) => product * size, 1);
  const folded = splits === 1 ? x : x.reshape([n / splits, splits * channels, ...rest]);
  const mean = folded.ref.mean(axes, { keepdims: true }); // [1, S·C, 1, 1]
  const centred = folded.sub(mean.ref); // [N/S, S·C, H, W]
  const variance = np.square(centred.ref).mean(axes, { keepdims: true }); // [1, S·C, 1, 1]
  keepRunning(scope, `${name}.running_mean`, mean, splits);
  const unbiased = variance.ref.mul(count / Math.max(1, count - 1)); // [1, S·C, 1, 1]
  keepRunning(scope, `${name}.running_var`, unbiased, splits);
  const weight = alongChannels(scope.take(`${name}.weight`), splits, x.ndim); // [1, S·C, 1, 1]
  const bias = alongChannels(scope.take(`${name}.bias`), splits, x.ndim); // [1, S·C, 1, 1]
  const scale = np.reciprocal(np.sqrt(variance.add(epsilon))).mul(weight); // [1, S·C, 1, 1]
  const y = centred.mul(scale).add(bias); // [N/S, S·C, H, W]
  return splits === 1 ? y : y.reshape([n, channels, ...rest]);
}

function keepRunning(scope: Scope, name: string, batch: np.Array, splits: number): void {
  const perSplit = batch.reshape([splits, -1]); // [S, C]
  const value = splits === 1 ? perSplit.reshape([-1]) : perSplit.mean(0); // [C]
  scope.keep(
    name,
    scope
      .statistic(name)
      .mul(1 - MOMENTUM)
      .add(value.mul(MOMENTUM)),
  );
}

/** x · a + b per channel, with a and b from the running statistics. */
function evaluationNorm(
  scope: Scope,
  x: np.Array,
  { name, epsilon }: { name: string; epsilon: number },
): np.Array {
  const mean = scope.statistic(`${name}.running_mean`);
  const variance = scope.statistic(`${name}.running_var`);
  scope.keep(`${name}.running_mean`, mean.ref);
  scope.keep(`${name}.running_var`, variance.ref);
  const scale = np.reciprocal(np.sqrt(variance.add(epsilon))).mul(scope.take(`${name}.weight`)); // [C]
  const offset = scope.take(`${name}.bias`).sub(mean.mul(scale.ref)); // [C]
  const axes = x.ndim;
  return x.mul(alongChannels(scale, 1, axes)).add(alongChannels(offset, 1, axes));
}

/** Each image's channels in groups, every group with its own mean and variance. */
function groupNorm(
  scope: Scope,
  x: np.Array,
  { name, groups, epsilon }: { name: string; groups: number; epsilon: number },
): np.Array {
  const { shape } = x;
  const folded = x.reshape([shape[0], groups, -1]); // [N, G, C/G·H·W]
  const centred = folded.ref.sub(folded.mean(-1, { keepdims: true })); // [N, G, C/G·H·W]
  const variance = np.square(centred.ref).mean(-1, { keepdims: true }); // [N, G, 1]
  const unit = centred.mul(np.reciprocal(np.sqrt(variance.add(epsilon)))).reshape(shape);
  const weight = alongChannels(scope.take(`${name}.weight`), 1, shape.length);
  const bias = alongChannels(scope.take(`${name}.bias`), 1, shape.length);
  return unit.mul(weight).add(bias);
}

/** Each position's last axis to mean 0 and variance 1, then `${name}.weight` and `${name}.bias`. */
export function layerNorm(name: string, size: number, epsilon = 1e-6): Layer {
  return {
    parameters: { [`${name}.weight`]: constant(size, 1), [`${name}.bias`]: constant(size, 0) },
    statistics: {},
    apply(scope, x) {
      const centred = x.ref.sub(x.mean(-1, { keepdims: true })); // [..., size]
      const variance = np.square(centred.ref).mean(-1, { keepdims: true }); // [..., 1]
      const unit = centred.mul(np.reciprocal(np.sqrt(variance.add(epsilon)))); // [..., size]
      return unit.mul(scope.take(`${name}.weight`)).add(scope.take(`${name}.bias`));
    },
  };
}
