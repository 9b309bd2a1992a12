/** For each output coordinate the first input coordinate and the weights of `taps` inputs from there. */
export type Weights = { taps: number; first: Int32Array; weight: Float32Array };

/** Where output pixel (x, y) is written: `base + x * stepX + y * stepY`. Mirrors and right-angle turns. */
export type Placement = { base: number; stepX: number; stepY: number };

/** Ways to resize, each a bell over some pixels of the smaller picture: its half width and its height at a distance. */
const filters = {
  bilinear: { support: 1, at: (x: number) => Math.max(0, 1 - Math.abs(x)) },
  /** Keys 1981 with a = −0.5, as PIL. */
  bicubic: {
    support: 2,
    at: (x: number) => {
      const d = Math.abs(x);
      if (d < 1) return (1.5 * d - 2.5) * d * d + 1;
      return d < 2 ? ((2.5 - 0.5 * d) * d - 4) * d + 2 : 0;
    },
  },
  /** Three lobes of a windowed sinc. */
  lanczos: {
    support: 3,
    at: (x: number) => (Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0),
  },
};

const sinc = (x: number) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

/** How an image is resized. */
export type Interpolation = keyof typeof filters;

const tables = new Map<string, Weights>(); // by filter, input and output length: pure, so kept
const TABLES = 4096;

/** The first input pixel of each output pixel, and the weights of the pixels from there on, of sum 1. */
function spansOf(from: number, to: number, interpolation: Interpolation) {
  const filter = filters[interpolation];
  const scale = from / to;
  const stretch = Math.max(1, scale);
  const support = filter.support * stretch;
  return Array.from({ length: to }, (_, i) => {
    const middle = scale * (i + 0.5);
    const low = Math.max(0, Math.trunc(middle - support + 0.5));
    const high = Math.min(from, Math.trunc(middle + support + 0.5));
    const weights = Array.from({ length: high - low }, (_, j) =>
      filter.at((j + low - middle + 0.5) / stretch),
    );
    const total = weights.reduce((sum, w) => sum + w, 0);
    return { low, weights: weights.map((w) => w / total) };
  });
}

/** Spans as tables, their weights put into an array of the kind that `make` gives. */
function tableOf<T extends Float32Array | Int32Array>(
  spans: ReturnType<typeof spansOf>,
  from: number,
  make: (length: number) => T,
  as: (weight: number) => number = (weight) => weight,
) {
  const taps = Math.max(...spans.map((span) => span.weights.length));
  const first = new Int32Array(spans.length);
  const weight = make(spans.length * taps);
  spans.forEach(({ low, weights }, i) => {
    first[i] = Math.min(low, from - taps); // a full row of taps must lie inside
    weights.forEach((w, j) => (weight[i * taps + (low - first[i]) + j] = as(w)));
  });
  return { taps, first, weight };
}

const UNIT = 2 ** 22; // weights of bytes are whole numbers of this part

/**
 * Weights of resampling of a line of bytes, in 2^22ths, of the output pixels from `start` on, `count` of them: the
 * numbers by which PIL resizes images of 8 bits.
 */
export function byteResampling(
  [from, to]: readonly [from: number, to: number],
  [start, count]: readonly [start: number, count: number],
  interpolation: Interpolation,
): { taps: number; first: Int32Array; weight: Int32Array } {
  const spans = spansOf(from, to, interpolation).slice(start, start + count);
  const rounded = (w: number) => Math.trunc(w * UNIT + (w < 0 ? -0.5 : 0.5));
  return tableOf(spans, from, (length) => new Int32Array(length), rounded);
}

/**
 * Weights of resampling of a line of `from` pixels to `to`, as torchvision's with antialias=True and as
 * PIL's: a bell over a few pixels, or over as many times more as fall into one when shrinking.
 */
export function resampling(
  from: number,
  to: number,
  interpolation: Interpolation = "bilinear",
): Weights {
  const key = `${interpolation} ${from} ${to}`;
  const kept = tables.get(key);
  if (kept !== undefined) return kept;
  if (tables.size >= TABLES) tables.clear();
  const spans = spansOf(from, to, interpolation);
  const made = tableOf(spans, from, (length) => new Float32Array(length));
  tables.set(key, made);
  return made;
}

/** Where pixels go when the view is mirrored and then turned counter-clockwise by quarters. */
export function placement(
  size: number,
  flip: boolean,
  verticalFlip: boolean,
  quarters: number,
): Placement {
  const last = size - 1;
  const to = (x: number, y: number) => {
    let [u, v] = [flip ? last - x : x, verticalFlip ? last - y : y];
    for (let i = 0; i < quarters; i++) [u, v] = [v, last - u];
    return v * size + u;
  };
  const base = to(0, 0);
  return size === 1
    ? { base, stepX: 1, stepY: 1 }
    : { base, stepX: to(1, 0) - base, stepY: to(0, 1) - base };
}
