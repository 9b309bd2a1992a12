// What every view goes through, in AssemblyScript: four numbers at a time (SIMD). `node scripts/kernels.mjs` compiles
// it to src/views/draw/kernelCode.ts.
//
// A picture is three planes of f32, red at `pixels`, green and blue `plane` bytes after the one before; `plane` is a
// multiple of 16, so the last vector of a plane may hold numbers that belong to no pixel. All addresses and
// sizes are in bytes.

@inline
function times(weights: usize, v: v128): v128 {
  return f32x4.mul(v128.load32_splat(weights), v);
}

/** row ← Σ weight · bytes of `taps` rows. Reads up to 7 bytes beyond `count`, writes up to 28. */
function sumRows(data: usize, stride: usize, row: usize, count: usize, weights: usize, taps: i32): void {
  for (let i: usize = 0; i < count; i += 8) {
    let low = f32x4.splat(0);
    let high = f32x4.splat(0);
    let from = data + i;
    let w = weights;
    for (let k = 0; k < taps; k++, from += stride, w += 4) {
      const words = v128.load_ext<u8>(from); // 8 × u16
      low = f32x4.add(low, times(w, f32x4.convert_i32x4_u(i32x4.extend_low_i16x8_u(words))));
      high = f32x4.add(high, times(w, f32x4.convert_i32x4_u(i32x4.extend_high_i16x8_u(words))));
    }
    v128.store(row + (i << 2), low);
    v128.store(row + (i << 2), high, 16);
  }
}

/**
 * Resizes interleaved bytes to size × size, in [0, 1]. Of output line y the first input row and the weights of `downTaps`
 * rows are in the tables `down`, likewise of columns in `across`. Pixel (x, y) goes to out + x · stepX + y · stepY.
 * `row` is scratch for a line of the input.
 */
export function resize(
  data: usize,
  stride: usize,
  width: usize, // bytes of a line
  row: usize,
  size: i32,
  downFirst: usize,
  down: usize,
  downTaps: i32,
  acrossFirst: usize,
  across: usize,
  acrossTaps: i32,
  out: usize,
  stepX: isize,
  stepY: isize,
  plane: usize,
): void {
  for (let y = 0; y < size; y++) {
    const top = data + <usize>load<i32>(downFirst + (<usize>y << 2)) * stride;
    sumRows(top, stride, row, width, down + <usize>(y * downTaps * 4), downTaps);
    let to = out + (y as isize) * stepY;
    let w = across;
    for (let x = 0; x < size; x++) {
      let from = row + <usize>load<i32>(acrossFirst + (<usize>x << 2)) * 12;
      let sum = f32x4.splat(0); // red, green, blue and what comes after
      for (let k = 0; k < acrossTaps; k++, from += 12, w += 4) {
        sum = f32x4.add(sum, times(w, v128.load(from)));
      }
      sum = f32x4.mul(sum, f32x4.splat(1.0 / 255.0));
      v128.store_lane<f32>(to, sum, 0);
      v128.store_lane<f32>(to + plane, sum, 1);
      v128.store_lane<f32>(to + 2 * plane, sum, 2);
      to += stepX;
    }
  }
}

@inline
function greyOf(r: v128, g: v128, b: v128): v128 {
  const red = f32x4.mul(f32x4.splat(0.2989), r);
  const green = f32x4.mul(f32x4.splat(0.587), g);
  return f32x4.add(f32x4.add(red, green), f32x4.mul(f32x4.splat(0.114), b));
}

@inline
function within(v: v128, most: v128): v128 {
  return f32x4.min(f32x4.max(v, f32x4.splat(0)), most);
}

/** v ← scale · v + share · grey + offset, clamped to [0, 1]. */
export function settle(pixels: usize, plane: usize, scale: f32, share: f32, offset: f32): void {
  const s = f32x4.splat(scale);
  const one = f32x4.splat(1);
  for (let i: usize = 0; i < plane; i += 16) {
    const p = pixels + i;
    const r = v128.load(p);
    const g = v128.load(p + plane);
    const b = v128.load(p + 2 * plane);
    const add = f32x4.add(f32x4.mul(f32x4.splat(share), greyOf(r, g, b)), f32x4.splat(offset));
    v128.store(p, within(f32x4.add(f32x4.mul(s, r), add), one));
    v128.store(p + plane, within(f32x4.add(f32x4.mul(s, g), add), one));
    v128.store(p + 2 * plane, within(f32x4.add(f32x4.mul(s, b), add), one));
  }
}

/** Sum of `count` bytes of f32, in double precision. */
export function sum(from: usize, count: usize): f64 {
  let even = f64x2.splat(0);
  let odd = f64x2.splat(0);
  let i: usize = 0;
  for (; i + 16 <= count; i += 16) {
    const v = v128.load(from + i);
    even = f64x2.add(even, f64x2.promote_low_f32x4(v));
    odd = f64x2.add(odd, f64x2.promote_low_f32x4(i8x16.shuffle(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15)));
  }
  even = f64x2.add(even, odd);
  let total = f64x2.extract_lane(even, 0) + f64x2.extract_lane(even, 1);
  for (; i < count; i += 4) total += <f64>load<f32>(from + i);
  return total;
}

/**
 * Turns the hue by `sixths` of the colour circle, in [0, 6); HSV's value and saturation stay. Hue is kept times the
 * range of a pixel's colours, so that nothing is divided.
 */
export function turnHue(pixels: usize, plane: usize, sixths: f32): void {
  const turn = f32x4.splat(sixths);
  const zero = f32x4.splat(0);
  for (let i: usize = 0; i < plane; i += 16) {
    const p = pixels + i;
    const r = v128.load(p);
    const g = v128.load(p + plane);
    const b = v128.load(p + 2 * plane);
    const high = f32x4.max(f32x4.max(r, g), b);
    const low = f32x4.min(f32x4.min(r, g), b);
    const range = f32x4.sub(high, low);
    const two = f32x4.add(range, range);
    const four = f32x4.add(two, two);
    const six = f32x4.add(four, two);
    const fromBlue = f32x4.sub(f32x4.add(four, r), g);
    const fromGreen = f32x4.sub(f32x4.add(two, b), r);
    let hue = v128.bitselect(fromGreen, fromBlue, f32x4.eq(high, g));
    hue = v128.bitselect(f32x4.sub(g, b), hue, f32x4.eq(high, r)); // [−range, 5 · range]
    hue = f32x4.add(hue, f32x4.mul(turn, range));
    hue = f32x4.add(hue, v128.and(six, f32x4.lt(hue, zero)));
    hue = f32x4.sub(hue, v128.and(six, f32x4.ge(hue, six))); // [0, 6 · range)
    const red = f32x4.sub(f32x4.abs(f32x4.sub(hue, f32x4.add(two, range))), range);
    const green = f32x4.sub(two, f32x4.abs(f32x4.sub(hue, two)));
    const blue = f32x4.sub(two, f32x4.abs(f32x4.sub(hue, four)));
    v128.store(p, f32x4.add(low, within(red, range)));
    v128.store(p + plane, f32x4.add(low, within(green, range)));
    v128.store(p + 2 * plane, f32x4.add(low, within(blue, range)));
  }
}

/** 1 − v where v ≥ threshold, of `count` bytes, a multiple of 16. */
export function solarise(pixels: usize, count: usize, threshold: f32): void {
  const bound = f32x4.splat(threshold);
  for (let p = pixels; p < pixels + count; p += 16) {
    const v = v128.load(p);
    const inverted = f32x4.sub(f32x4.splat(1), v);
    v128.store(p, v128.bitselect(inverted, v, f32x4.ge(v, bound)));
  }
}

/** to[i] ← Σ weight[|d|] · from[i + d · step], d from −radius to radius, of `count` bytes rounded up to 16. */
@inline
function blurLine(from: usize, to: usize, count: usize, step: usize, weights: usize, radius: i32): void {
  for (let i: usize = 0; i < count; i += 16) {
    let below = from + i;
    let above = below;
    let w = weights;
    let sum = times(w, v128.load(below));
    for (let d = 1; d <= radius; d++) {
      below -= step;
      above += step;
      w += 4;
      sum = f32x4.add(sum, times(w, f32x4.add(v128.load(below), v128.load(above))));
    }
    v128.store(to + i, sum);
  }
}

/** Index within [0, length) that a line mirrored at its end pixels has at `i`. */
function mirrored(i: i32, length: i32): i32 {
  if (length == 1) return 0;
  const period = 2 * (length - 1);
  const at = ((i % period) + period) % period;
  return at < length ? at : period - at;
}

/**
 * Blurs one plane of size × size in place; edges are mirrored without repeating the edge pixel. `weights` are of the
 * middle and each distance to `radius`; `line` is scratch for size + 2 · radius + 4 numbers, `between` for
 * size + 2 · radius lines and 4 numbers.
 */
export function blur(pixels: usize, size: i32, weights: usize, radius: i32, line: usize, between: usize): void {
  const width = <usize>size << 2;
  const margin = <usize>radius << 2;
  const inner = between + <usize>radius * width;
  for (let y = 0; y < size; y++) {
    const from = pixels + <usize>y * width;
    memory.copy(line + margin, from, width);
    for (let d = 1; d <= radius; d++) {
      const left = load<f32>(from + (<usize>mirrored(-d, size) << 2));
      const right = load<f32>(from + (<usize>mirrored(size - 1 + d, size) << 2));
      store<f32>(line + margin - (<usize>d << 2), left);
      store<f32>(line + margin + width + (<usize>(d - 1) << 2), right);
    }
    blurLine(line + margin, inner + <usize>y * width, width, 4, weights, radius);
  }
  for (let d = 1; d <= radius; d++) {
    memory.copy(inner - <usize>d * width, inner + <usize>mirrored(-d, size) * width, width);
    const below = inner + <usize>(size - 1 + d) * width;
    memory.copy(below, inner + <usize>mirrored(size - 1 + d, size) * width, width);
  }
  blurLine(inner, pixels, <usize>size * width, width, weights, radius);
}

/** out ← scale · v + share · grey + offset, of each plane with three constants of its own. */
export function normalise(pixels: usize, plane: usize, out: usize, constants: usize): void {
  for (let i: usize = 0; i < plane; i += 16) {
    const p = pixels + i;
    const q = out + i;
    const r = v128.load(p);
    const g = v128.load(p + plane);
    const b = v128.load(p + 2 * plane);
    const grey = greyOf(r, g, b);
    const c = constants;
    const red = f32x4.add(times(c, r), times(c + 4, grey));
    const green = f32x4.add(times(c + 12, g), times(c + 16, grey));
    const blue = f32x4.add(times(c + 24, b), times(c + 28, grey));
    v128.store(q, f32x4.add(red, v128.load32_splat(c + 8)));
    v128.store(q + plane, f32x4.add(green, v128.load32_splat(c + 20)));
    v128.store(q + 2 * plane, f32x4.add(blue, v128.load32_splat(c + 32)));
  }
}

const PRECISION: i32 = 22; // bits behind the point of the weights of bytes

/** Σ weight · 4 bytes of `taps` places, each `step` bytes after the one before, as bytes in i32 lanes from 0 to 255. */
@inline
function byteSum(from: usize, step: usize, weights: usize, taps: i32): v128 {
  let sum = i32x4.splat(1 << (PRECISION - 1));
  for (let k = 0; k < taps; k++, from += step, weights += 4) {
    const words = i16x8.extend_low_i8x16_u(v128.load32_zero(from));
    sum = i32x4.add(sum, i32x4.mul(v128.load32_splat(weights), i32x4.extend_low_i16x8_u(words)));
  }
  return i32x4.min_s(i32x4.max_s(i32x4.shr_s(sum, PRECISION), i32x4.splat(0)), i32x4.splat(255));
}

/** Writes four lanes from 0 to 255 as bytes. */
@inline
function storeBytes(to: usize, lanes: v128): void {
  const words = i16x8.narrow_i32x4_u(lanes, lanes);
  v128.store32_lane(to, i8x16.narrow_i16x8_u(words, words), 0);
}

/**
 * Resizes lines of interleaved bytes across, each to `count` pixels: of output pixel x the first input pixel and the
 * weights of `taps` pixels are in the tables, weights in 2^22ths. Reads and writes one byte beyond the last line.
 */
export function resizeAcross(
  from: usize,
  stride: usize,
  lines: i32,
  count: i32,
  firsts: usize,
  weights: usize,
  taps: i32,
  to: usize,
): void {
  for (let line = 0; line < lines; line++, from += stride) {
    let w = weights;
    for (let x = 0; x < count; x++, to += 3, w += <usize>(taps << 2)) {
      const first = from + <usize>load<i32>(firsts + (<usize>x << 2)) * 3;
      storeBytes(to, byteSum(first, 3, w, taps));
    }
  }
}

/** Resizes lines of `width` bytes down to `count` lines, with tables likewise. Reads and writes up to 3 bytes beyond. */
export function resizeDown(
  from: usize,
  width: usize,
  count: i32,
  firsts: usize,
  weights: usize,
  taps: i32,
  to: usize,
): void {
  for (let y = 0; y < count; y++, to += width, weights += <usize>(taps << 2)) {
    const first = from + <usize>load<i32>(firsts + (<usize>y << 2)) * width;
    for (let i: usize = 0; i < width; i += 4) {
      storeBytes(to + i, byteSum(first + i, width, weights, taps));
    }
  }
}
