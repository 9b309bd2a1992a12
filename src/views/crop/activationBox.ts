import { wholeBox } from "./boxes.ts";
import type { Box } from "./crop.ts";

/** How active an encoder is at each place of an image: [height, width], row by row. */
export type ActivationMap = {
  readonly values: ArrayLike<number>;
  readonly height: number;
  readonly width: number;
};

/** Where a map is active, and what that was seen from. */
export type ActivationBox = {
  readonly heatMap: Float64Array; // [map height, map width], scaled to 0 … 1; a constant map to 0
  readonly upsampled: Float64Array; // [height, width]
  /** First and last active row and column of `upsampled`; null where nothing is active. */
  readonly indices: Readonly<Record<"top" | "left" | "bottom" | "right", number>> | null;
  readonly box: Box; // the indices over height and width; the whole image where there are none
};

/** Values scaled to 0 … 1; all 0 where they are equal or no numbers. */
function minMax(values: ArrayLike<number>): Float64Array {
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) {
    low = Math.min(low, values[i]);
    high = Math.max(high, values[i]);
  }
  if (!(high > low)) return new Float64Array(values.length);
  return Float64Array.from(values, (value) => (value - low) / (high - low));
}

/** For each of `to` positions the two of `from` positions it lies between, and how far along. */
function neighbours(from: number, to: number) {
  const first = new Int32Array(to);
  const next = new Int32Array(to);
  const share = new Float64Array(to);
  for (let i = 0; i < to; i++) {
    const at = Math.max(((i + 0.5) * from) / to - 0.5, 0);
    first[i] = Math.floor(at);
    next[i] = Math.min(first[i] + 1, from - 1);
    share[i] = at - first[i];
  }
  return { first, next, share };
}

/** Bilinear with half-pixel centres. a + t·(b − a): equal neighbours give their value exactly. */
function upsample(
  { values, height, width }: ActivationMap,
  size: { height: number; width: number },
): Float64Array {
  const out = new Float64Array(size.height * size.width);
  const rows = neighbours(height, size.height);
  const columns = neighbours(width, size.width);
  const row = new Float64Array(width);
  for (let y = 0, i = 0; y < size.height; y++) {
    const [above, below] = [rows.first[y] * width, rows.next[y] * width];
    for (let x = 0; x < width; x++) {
      row[x] = values[above + x] + rows.share[y] * (values[below + x] - values[above + x]);
    }
    for (let x = 0; x < size.width; x++, i++) {
      const left = row[columns.first[x]];
      out[i] = left + columns.share[x] * (row[columns.next[x]] - left);
    }
  }
  return out;
}

function activeSpan(map: Float64Array, height: number, width: number, threshold: number) {
  let [top, left, bottom, right] = [height, width, -1, -1];
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      if (!(map[i] > threshold)) continue;
      top = Math.min(top, y);
      bottom = y;
      left = Math.min(left, x);
      right = Math.max(right, x);
    }
  }
  return bottom < 0 ? null : { top, left, bottom, right };
}

/**
 * The box around everything in a map that is more than `threshold` of the way from its smallest to its
 * largest value, in the grid of an image of `height` × `width`.
 *
 * The last index is divided by the size as it is, without one added, so a map active everywhere gives
 * (size − 1) / size. A constant map, and one with nothing above the threshold, give the whole image.
 * Peng et al. 2022, arXiv 2202.03278.
 */
export function boxFromActivation(
  map: ActivationMap,
  { threshold, height, width }: { threshold: number; height: number; width: number },
): ActivationBox {
  const heatMap = minMax(map.values);
  const upsampled = upsample({ ...map, values: heatMap }, { height, width });
  const indices = activeSpan(upsampled, height, width, threshold);
  if (indices === null) return { heatMap, upsampled, indices, box: wholeBox };
  const { top, left, bottom, right } = indices;
  const box = {
    left: left / width,
    top: top / height,
    right: right / width,
    bottom: bottom / height,
  };
  return { heatMap, upsampled, indices, box };
}
