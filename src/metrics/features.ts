import { DataError, ShapeError } from "../core/errors.ts";

/** Feature vectors, one a row: `data` is [count, dimension], row after row. */
export type Features = {
  readonly data: Float32Array;
  readonly count: number;
  readonly dimension: number;
};

/** Features with the class of each row: `labels` [count] in 0 … classes − 1. */
export type LabelledFeatures = { readonly features: Features; readonly labels: ArrayLike<number> };

/** Throws where the sizes do not agree, there are fewer than `least` rows, or a value is not finite. */
export function checkFeatures(caller: string, name: string, features: Features, least = 1): void {
  const { data, count, dimension } = features;
  const whole = Number.isInteger(count) && Number.isInteger(dimension) && dimension > 0;
  if (!whole || data.length !== count * dimension) {
    throw new ShapeError(
      `${caller}: ${name} holds ${data.length} values, expected count × dimension = ${count} × ${dimension}`,
    );
  }
  if (count < least) {
    const rows = least === 1 ? "row" : "rows";
    throw new ShapeError(
      `${caller}: ${name} has ${count} rows, expected at least ${least} ${rows}`,
    );
  }
  for (let i = 0; i < data.length; i++) {
    if (Number.isFinite(data[i])) continue;
    throw new DataError(
      `${caller}: ${name} holds ${data[i]} in row ${Math.floor(i / dimension)}, column ${i % dimension}, expected finite numbers`,
      "the encoder may have diverged, or its input may not be normalised",
    );
  }
}

/** Throws where two sets of features are not of one dimension. */
export function checkSameDimension(
  caller: string,
  named: Record<string, { dimension: number }>,
): void {
  const [[first, a], [second, b]] = Object.entries(named);
  if (a.dimension === b.dimension) return;
  throw new ShapeError(
    `${caller}: ${second} has dimension ${b.dimension}, expected ${a.dimension} as in ${first}`,
  );
}

/** 1 / ‖x‖ of every row [count]; 0 for a row of length below 1e-12, which so stays the zero row. */
export function inverseNorms({ data, count, dimension }: Features): Float64Array {
  const inverse = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    let squared = 0;
    for (let e = i * dimension; e < (i + 1) * dimension; e++) squared += data[e] * data[e];
    inverse[i] = squared < 1e-24 ? 0 : 1 / Math.sqrt(squared);
  }
  return inverse;
}

/** x / ‖x‖ of every row; a zero row stays zero. The given features are left as they are. */
export function unitRows(features: Features): Features {
  const { data, count, dimension } = features;
  const inverse = inverseNorms(features);
  const unit = new Float32Array(data.length);
  for (let i = 0; i < count; i++) {
    for (let e = i * dimension; e < (i + 1) * dimension; e++) unit[e] = data[e] * inverse[i];
  }
  return { data: unit, count, dimension };
}

/** Rows of some numbers, one after the other: [rows, dimension]. */
export function pickRows({ data, dimension }: Features, rows: ArrayLike<number>): Features {
  const picked = new Float32Array(rows.length * dimension);
  for (let i = 0; i < rows.length; i++) {
    picked.set(data.subarray(rows[i] * dimension, (rows[i] + 1) * dimension), i * dimension);
  }
  return { data: picked, count: rows.length, dimension };
}
