/** Half of a normalised Gaussian kernel: weight of the middle, then of each distance to `radius`. */
export function gaussianHalf(sigma: number, radius: number): Float64Array {
  const half = Float64Array.from({ length: radius + 1 }, (_, d) =>
    Math.exp(-0.5 * (d / sigma) ** 2),
  );
  const total = half.reduce((sum, w, d) => sum + (d === 0 ? w : 2 * w), 0);
  return half.map((w) => w / total);
}

/** Index within [0, length) that a line mirrored at its end pixels has at `i`. */
function mirrored(i: number, length: number): number {
  if (length === 1) return 0;
  const period = 2 * (length - 1);
  const at = ((i % period) + period) % period;
  return at < length ? at : period - at;
}

/** A set of lines in an array: where each starts and how far apart its values lie. */
type Lines = { count: number; length: number; step: number; start: (line: number) => number };

/** Blurs lines with any radius: each is copied with its mirrored margins, then summed tap by tap. */
function blurLines(
  from: Float32Array,
  to: Float32Array,
  lines: Lines,
  half: Float64Array,
  margin: Float64Array,
): void {
  const radius = half.length - 1;
  const { count, length, step } = lines;
  for (let line = 0; line < count; line++) {
    const start = lines.start(line);
    for (let i = 0; i < length; i++) margin[radius + i] = from[start + i * step];
    for (let d = 1; d <= radius; d++) {
      margin[radius - d] = from[start + mirrored(-d, length) * step];
      margin[radius + length - 1 + d] = from[start + mirrored(length - 1 + d, length) * step];
    }
    for (let i = 0, o = start; i < length; i++, o += step) {
      const middle = radius + i;
      let sum = half[0] * margin[middle];
      for (let d = 1; d <= radius; d++) sum += half[d] * (margin[middle - d] + margin[middle + d]);
      to[o] = sum;
    }
  }
}

/**
 * `blurLines` for a radius of at most 4 and lines of at least 9: nine values slide through registers,
 * by three at a turn.
 */
function blurLinesBy4(
  from: Float32Array,
  to: Float32Array,
  lines: Lines,
  half: Float64Array,
): void {
  const [w0, w1 = 0, w2 = 0, w3 = 0, w4 = 0] = half;
  const { count, length, step } = lines;
  for (let line = 0; line < count; line++) {
    let o = lines.start(line);
    const end = o + (length - 1) * step;
    let ahead = o + 4 * step;
    let e = from[o];
    let f = from[o + step];
    let g = from[o + 2 * step];
    let h = from[o + 3 * step];
    let a = from[ahead];
    let b = h;
    let c = g;
    let d = f;
    for (; ahead + 2 * step <= end; o += 3 * step, ahead += 3 * step) {
      const i = from[ahead];
      const j = from[ahead + step];
      const k = from[ahead + 2 * step];
      to[o] = w0 * e + w1 * (d + f) + w2 * (c + g) + w3 * (b + h) + w4 * (a + i);
      to[o + step] = w0 * f + w1 * (e + g) + w2 * (d + h) + w3 * (c + i) + w4 * (b + j);
      to[o + 2 * step] = w0 * g + w1 * (f + h) + w2 * (e + i) + w3 * (d + j) + w4 * (c + k);
      a = d;
      b = e;
      c = f;
      d = g;
      e = h;
      f = i;
      g = j;
      h = k;
    }
    for (; o <= end; o += step, ahead += step) {
      const i = from[ahead <= end ? ahead : 2 * end - ahead];
      to[o] = w0 * e + w1 * (d + f) + w2 * (c + g) + w3 * (b + h) + w4 * (a + i);
      a = b;
      b = c;
      c = d;
      d = e;
      e = f;
      f = g;
      g = h;
      h = i;
    }
  }
}

/** Scratch that `gaussianBlur` needs: an image and a line with margins. */
export type BlurScratch = { between: Float32Array; margin: Float64Array };

/**
 * Gaussian blur of size × size interleaved RGB in place; edges are mirrored without repeating the edge
 * pixel, as torchvision's. `sigma` and `radius` in pixels.
 */
export function gaussianBlur(
  pixels: Float32Array,
  size: number,
  { sigma, radius }: { sigma: number; radius: number },
  scratch: BlurScratch,
): void {
  const half = gaussianHalf(sigma, radius);
  const rows = { count: size * 3, length: size, step: 3 };
  const columns = { count: size * 3, length: size, step: size * 3 };
  const across = { ...rows, start: (i: number) => Math.trunc(i / 3) * size * 3 + (i % 3) };
  const down = { ...columns, start: (i: number) => i };
  if (radius <= 4 && size >= 9) {
    blurLinesBy4(pixels, scratch.between, across, half);
    blurLinesBy4(scratch.between, pixels, down, half);
  } else {
    blurLines(pixels, scratch.between, across, half, scratch.margin);
    blurLines(scratch.between, pixels, down, half, scratch.margin);
  }
}
