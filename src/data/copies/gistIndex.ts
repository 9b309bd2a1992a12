import { gistSize } from "./gist.ts";

/** Gists that can be asked for those near another one. */
export type GistIndex = {
  /** Tells the number of each gist whose cosine to `gist` is `least` or more, or nearly all of them. */
  near(gist: Float32Array, tell: (index: number, cosine: number) => void): void;
};

const FEWEST = 5; // bits of a key
const MOST = 17;
const UNSURE = 9; // bits of a key that may be other ones in a copy

const FIRST = 8; // numbers that mostly tell already that two gists are far apart

/** Length of a gist without its first numbers. */
function restOf(gist: Float32Array): number {
  let squares = 0;
  for (let k = FIRST; k < gistSize; k++) squares += gist[k] * gist[k];
  return Math.sqrt(squares);
}

/** Sets of the least sure bits that are flipped, the likeliest first. */
const flips: readonly (readonly number[])[] = Array.from({ length: 2 ** UNSURE }, (_, set) =>
  Array.from({ length: UNSURE }, (_, bit) => bit).filter((bit) => (set & (2 ** bit)) !== 0),
)
  .map((set) => ({ set, cost: set.reduce((sum, bit) => sum + (bit + 1) ** 1.5, 0) }))
  .sort((a, b) => a.cost - b.cost)
  .slice(0, 32)
  .map(({ set }) => set);

/**
 * Puts gists into buckets by the signs of their lowest frequencies, and looks into the buckets whose signs
 * a copy is likely to have: those that flip the numbers next to zero (Lv, Josephson, Wang, Charikar and Li
 * 2007, "Multi-Probe LSH"). The number of buckets grows with that of gists, so that their size does not.
 */
export function gistIndex(gists: readonly Float32Array[], least: number): GistIndex {
  const bits = Math.min(MOST, Math.max(FEWEST, Math.ceil(Math.log2(gists.length + 1)) - 1));
  const table = new Float32Array(gists.length * gistSize);
  gists.forEach((gist, i) => table.set(gist, i * gistSize));
  const rests = Float32Array.from(gists, restOf);
  const keyOf = (gist: Float32Array) => {
    let key = 0;
    for (let k = 0; k < bits; k++) if (gist[k] > 0) key |= 1 << k;
    return key;
  };
  const keys = Int32Array.from(gists, keyOf);
  const starts = new Int32Array(2 ** bits + 1);
  for (const key of keys) starts[key + 1]++;
  for (let key = 0; key < 2 ** bits; key++) starts[key + 1] += starts[key];
  const next = starts.slice();
  const members = new Int32Array(gists.length);
  keys.forEach((key, i) => (members[next[key]++] = i));
  const order = Array.from({ length: bits }, (_, k) => k);
  const probes = flips.filter((set) => set.every((rank) => rank < bits));
  return {
    near(gist, tell) {
      const key = keyOf(gist);
      const rest = restOf(gist);
      order.sort((a, b) => Math.abs(gist[a]) - Math.abs(gist[b]));
      for (const set of probes) {
        let probe = key;
        for (const rank of set) probe ^= 1 << order[rank];
        for (let at = starts[probe]; at < starts[probe + 1]; at++) {
          const start = members[at] * gistSize;
          let cosine = 0;
          for (let k = 0; k < FIRST; k++) cosine += gist[k] * table[start + k];
          if (cosine + rest * rests[members[at]] < least) continue; // whatever the other numbers are
          for (let k = FIRST; k < gistSize; k++) cosine += gist[k] * table[start + k];
          if (cosine >= least) tell(members[at], cosine);
        }
      }
    },
  };
}
