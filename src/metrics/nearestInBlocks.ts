import type { Features } from "./features.ts";
import type { Neighbours } from "./nearest.ts";
import type { ResidentRows } from "./residentRows.ts";

const BLOCK = 64; // queries between two pauses: as many as a search takes together

/** The nearest rows of many queries, as `rows.nearest` gives them, with a pause after every few of them. */
export async function nearestInBlocks(
  rows: ResidentRows,
  { data, count, dimension }: Features,
  k: number,
  pause: (done: number) => Promise<void>,
): Promise<Neighbours> {
  const most = Math.max(1, Math.min(k, rows.count));
  const indices = new Int32Array(count * most);
  const similarities = new Float32Array(count * most);
  for (let first = 0; first < count; first += BLOCK) {
    const size = Math.min(BLOCK, count - first);
    const some = data.subarray(first * dimension, (first + size) * dimension);
    const found = rows.nearest({ data: some, count: size, dimension }, most);
    indices.set(found.indices, first * most);
    similarities.set(found.similarities, first * most);
    await pause(first + size);
  }
  return { k: most, indices, similarities };
}
