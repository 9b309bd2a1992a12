import { gistSize } from "./gist.ts";

type Tell = (index: number, cosine: number) => void;

/** Gists that can be asked for those near another one. */
export type GistIndex = {
  /** Tells the number of each gist whose cosine to `gist` is `least` or more, or nearly all of them. */
  near(gist: Float32Array, tell: Tell): void;
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

type Probe = { readonly before: number; readonly rank: number; readonly deepest: number };

/** Sets of the least sure bits that are flipped, the likeliest first: each an earlier one, by its place, and one bit more, by its rank. */
const probes: readonly Probe[] = (() => {
  const bitsOf = (set: number) =>
    Array.from({ length: UNSURE }, (_, bit) => bit).filter((bit) => (set & (2 ** bit)) !== 0);
  const costOf = (set: number) => bitsOf(set).reduce((sum, bit) => sum + (bit + 1) ** 1.5, 0);
  const sets = Array.from({ length: 2 ** UNSURE }, (_, set) => set)
    .sort((a, b) => costOf(a) - costOf(b))
    .slice(0, 32);
  return sets.slice(1).map((set) => {
    const bits = bitsOf(set);
    const rank = bits.at(-1)!; // any set costs more than it does without a bit, so that this is there before
    return { before: sets.indexOf(set ^ (2 ** rank)), rank, deepest: Math.max(...bits) };
  });
})();

/**
 * Puts gists into buckets by the signs of their lowest frequencies, and looks into the buckets whose signs
 * a copy is likely to have: those that flip the numbers next to zero (Lv, Josephson, Wang, Charikar and Li
 * 2007, "Multi-Probe LSH"). The number of buckets grows with that of gists, so that their size does not.
 */
export function gistIndex(gists: readonly Float32Array[], least: number): GistIndex {
  const bits = Math.min(MOST, Math.max(FEWEST, Math.ceil(Math.log2(gists.length + 1)) - 1));
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
  const members = new Int32Array(gists.length); // bucket by bucket
  keys.forEach((key, i) => (members[next[key]++] = i));
  // what is looked at first lies together, in the order in which it is looked at
  const firsts = new Float32Array(gists.length * FIRST);
  const rests = new Float32Array(gists.length);
  members.forEach((i, at) => {
    firsts.set(gists[i].subarray(0, FIRST), at * FIRST);
    rests[at] = restOf(gists[i]);
  });
  const order = new Int32Array(bits);
  const sizes = new Float32Array(bits);
  /** The bits of a gist, the least sure first. */
  const rank = (gist: Float32Array) => {
    for (let k = 0; k < bits; k++) {
      const size = Math.abs(gist[k]);
      let at = k;
      for (; at > 0 && sizes[at - 1] > size; at--) {
        sizes[at] = sizes[at - 1];
        order[at] = order[at - 1];
      }
      sizes[at] = size;
      order[at] = 1 << k;
    }
  };
  const look = (probe: number, gist: Float32Array, rest: number, tell: Tell) => {
    for (let at = starts[probe]; at < starts[probe + 1]; at++) {
      let cosine = 0;
      for (let k = 0, from = at * FIRST; k < FIRST; k++, from++) cosine += gist[k] * firsts[from];
      if (cosine + rest * rests[at] < least) continue; // whatever the other numbers are
      const other = gists[members[at]];
      for (let k = FIRST; k < gistSize; k++) cosine += gist[k] * other[k];
      if (cosine >= least) tell(members[at], cosine);
    }
  };
  const keysOf = new Int32Array(probes.length + 1);
  return {
    near(gist, tell) {
      const rest = restOf(gist);
      rank(gist);
      keysOf[0] = keyOf(gist);
      look(keysOf[0], gist, rest, tell);
      for (let i = 0; i < probes.length; i++) {
        const probe = probes[i];
        if (probe.deepest >= bits) continue;
        keysOf[i + 1] = keysOf[probe.before] ^ order[probe.rank];
        look(keysOf[i + 1], gist, rest, tell);
      }
    },
  };
}
