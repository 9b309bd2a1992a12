import { hostArray, type HostRecord } from "../core/arrays.ts";
import type { HostVariables } from "../encoders/index.ts";
import type { FeatureFile } from "../inference/index.ts";
import type { HostState } from "../frameworks/index.ts";
import type { RunConfig } from "../config/schema.ts";
import type { Start } from "../config/start.ts";

/** Copies of the encoder in a state: the one that is trained, its average, the one of keys. */
const encodersIn = ({ encoder, average, key }: HostState): HostVariables[] =>
  [encoder, average?.encoder, key?.encoder].filter((one) => one !== undefined);

/** Mean and deviation of each feature over all rows; a feature that is the same in all has deviation 1. */
function spreadOf(features: FeatureFile) {
  const { count, dimension } = features;
  const row = new Float32Array(dimension);
  const [sums, squares] = [new Float64Array(dimension), new Float64Array(dimension)];
  const each = (add: (d: number) => void) => {
    for (let i = 0; i < count; i++) {
      features.read(i, row, 0);
      for (let d = 0; d < dimension; d++) add(d);
    }
  };
  each((d) => (sums[d] += row[d]));
  const mean = Float32Array.from(sums, (sum) => sum / count);
  each((d) => (squares[d] += (row[d] - mean[d]) ** 2));
  const deviation = Float32Array.from(squares, (sum) => Math.sqrt(sum / count) || 1);
  return { mean, deviation };
}

/** Fills a record with the weights of a start, those that are trained or those that stay. */
function takeOver(record: HostRecord, { variables }: Start): void {
  const all = { ...variables.parameters, ...variables.statistics };
  for (const name of Object.keys(record)) record[name] = all[name];
}

/**
 * Puts a pretrained encoder into the state that a run begins with: its weights, or behind a frozen body how features
 * are standardised, where the adapter does that: by their spread over the kept views, which is what it trains on.
 */
export function beginWith(
  state: HostState,
  { adapter }: Pick<RunConfig, "adapter">,
  { start, views }: { start: Start; views: FeatureFile | undefined },
): void {
  if (views === undefined) {
    for (const encoder of encodersIn(state)) {
      takeOver(encoder.parameters, start);
      takeOver(encoder.statistics, start);
    }
    return;
  }
  if (adapter?.standardise !== true) return;
  const { mean, deviation } = spreadOf(views);
  const spread: HostRecord = {
    "adapter.mean": hostArray("float32", [views.dimension], mean),
    "adapter.deviation": hostArray("float32", [views.dimension], deviation),
  };
  for (const encoder of encodersIn(state)) Object.assign(encoder.statistics, spread);
}
