import { type Features, inverseNorms } from "./features.ts";
import type { Neighbours } from "./nearest.ts";
import { nearestInBlocks } from "./nearestInBlocks.ts";
import { residentRows } from "./residentRows.ts";

/**
 * The `k` rows nearest to each row, itself left out, with a pause after every few rows. `k` is cut to the number of
 * others. Rows of zeros have no direction: they are near none, and what is missing of a row has index −1 and similarity 0.
 */
export async function nearestOthers(
  features: Features,
  k: number,
  pause: (done: number) => Promise<void>,
): Promise<Neighbours> {
  const { count } = features;
  const found = await nearestInBlocks(residentRows(features), features, k + 1, pause);
  const kept = Math.max(0, found.k - 1);
  const inverse = inverseNorms(features);
  const indices = new Int32Array(count * kept).fill(-1);
  const similarities = new Float32Array(count * kept);
  for (let i = 0; i < count; i++) {
    let at = i * kept;
    for (let j = i * found.k; j < (i + 1) * found.k && at < (i + 1) * kept; j++) {
      const other = found.indices[j];
      if (other === i || inverse[i] === 0 || inverse[other] === 0) continue;
      indices[at] = other;
      similarities[at++] = found.similarities[j];
    }
  }
  return { k: kept, indices, similarities };
}
