/** 64-bit hashes as two tables of 32 bits. */
export type Hashes = { readonly high: Uint32Array; readonly low: Uint32Array };

/** Hashes from 16 hexadecimal digits each. */
export function parseHashes(texts: readonly string[]): Hashes {
  return {
    high: Uint32Array.from(texts, (text) => parseInt(text.slice(0, 8), 16)),
    low: Uint32Array.from(texts, (text) => parseInt(text.slice(8), 16)),
  };
}

function bitCount(bits: number): number {
  let v = bits - ((bits >>> 1) & 0x55555555);
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
  return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** Number of bits in which two hashes differ, 0 … 64. */
export function hashDistance({ high, low }: Hashes, a: number, b: number): number {
  return bitCount(high[a] ^ high[b]) + bitCount(low[a] ^ low[b]);
}

const BANDS = 4;
const KEYS = 65536; // values of a band of 16 bits

function bandOf({ high, low }: Hashes, index: number, band: number): number {
  const word = band < 2 ? high[index] : low[index];
  return band % 2 === 0 ? word >>> 16 : word & 0xffff;
}

/** Numbers of the hashes by the value of a band: those of key k are members[starts[k] … starts[k + 1]). */
function bucket(hashes: Hashes, band: number): { starts: Uint32Array; members: Uint32Array } {
  const count = hashes.high.length;
  const starts = new Uint32Array(KEYS + 1);
  for (let i = 0; i < count; i++) starts[bandOf(hashes, i, band) + 1]++;
  for (let key = 0; key < KEYS; key++) starts[key + 1] += starts[key];
  const next = starts.slice();
  const members = new Uint32Array(count);
  for (let i = 0; i < count; i++) members[next[bandOf(hashes, i, band)]++] = i;
  return { starts, members };
}

/** All 16-bit words of at most `flips` set bits. */
function masks(flips: number): number[] {
  return Array.from({ length: KEYS }, (_, word) => word).filter((word) => bitCount(word) <= flips);
}

/**
 * Finds all pairs of hashes that differ in at most `radius` bits.
 *
 * Of two hashes within r bits of each other at least one of four bands of 16 bits is within ⌊r / 4⌋
 * (Norouzi, Punjani and Fleet 2012, "Fast Search in Hamming Space with Multi-Index Hashing"), so looking
 * up the neighbours of each band finds every pair without comparing all. Each pair is told once, a < b.
 */
export function nearHashes(
  hashes: Hashes,
  radius: number,
  tell: (a: number, b: number, distance: number) => void,
): void {
  const flips = Math.floor(radius / BANDS);
  const probes = masks(flips);
  const count = hashes.high.length;
  // The first band within reach tells a pair; later ones leave it out.
  const toldBefore = (a: number, b: number, band: number) => {
    for (let other = 0; other < band; other++) {
      if (bitCount(bandOf(hashes, a, other) ^ bandOf(hashes, b, other)) <= flips) return true;
    }
    return false;
  };
  for (let band = 0; band < BANDS; band++) {
    const { starts, members } = bucket(hashes, band);
    for (let a = 0; a < count; a++) {
      const key = bandOf(hashes, a, band);
      for (const mask of probes) {
        const end = starts[(key ^ mask) + 1];
        for (let at = starts[key ^ mask]; at < end; at++) {
          const b = members[at];
          if (b <= a) continue;
          const distance = hashDistance(hashes, a, b);
          if (distance <= radius && !toldBefore(a, b, band)) tell(a, b, distance);
        }
      }
    }
  }
}
