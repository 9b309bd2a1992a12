/**
 * Seeded random numbers that any worker can draw in any order.
 *
 * A stream is named by a path of integers and words (`randomStream(seed, "views", epoch, id, view)`);
 * the same path gives the same numbers whatever was drawn before, on any machine.
 */
export type RandomStream = {
  /** Next 32 random bits as an unsigned integer. */
  bits(): number;
  /** Uniform in [low, high); [0, 1) by default. */
  uniform(low?: number, high?: number): number;
  /** Integer, uniform in [0, count). */
  integer(count: number): number;
  /** Normal with mean 0 and standard deviation 1. */
  normal(): number;
  /** True with the given probability in [0, 1]. */
  chance(probability: number): boolean;
};

function mix(hash: number, value: number): number {
  let h = Math.imul(hash ^ value, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

function absorb(hash: number, part: number | string): number {
  if (typeof part === "string") {
    let h = mix(hash, 0x5bd1e995 ^ part.length);
    for (let i = 0; i < part.length; i++) h = mix(h, part.charCodeAt(i));
    return h;
  }
  return mix(mix(hash, part | 0), Math.floor(part / 4294967296) | 0);
}

/** A stream of random numbers named by a path. sfc32 seeded by a hash of the path. */
export function randomStream(...path: (number | string)[]): RandomStream {
  let [a, b, c, d] = [0x243f6a88, 0x85a308d3, 0x13198a2e, 1];
  for (const part of path) {
    a = absorb(a, part);
    b = absorb(b ^ a, part);
    c = absorb(c ^ b, part);
  }
  const bits = () => {
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t;
    c |= 0;
    return t >>> 0;
  };
  for (let i = 0; i < 12; i++) bits();
  const uniform = (low = 0, high = 1) => low + (high - low) * (bits() / 4294967296);
  let spare: number | undefined;
  const normal = () => {
    if (spare !== undefined) {
      const value = spare;
      spare = undefined;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
    const angle = 2 * Math.PI * uniform();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
  return {
    bits,
    uniform,
    integer: (count) => Math.floor(uniform() * count),
    normal,
    chance: (probability) => uniform() < probability,
  };
}

/** A random order of 0 … count − 1 (Fisher and Yates). */
export function permutation(stream: RandomStream, count: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = stream.integer(i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
