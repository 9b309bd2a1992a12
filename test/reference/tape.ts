/** A number that remembers what it was made of, so that slopes can be followed back. */
export type Scalar = {
  readonly value: number;
  readonly id: number;
  /** What it was made of, and its slope with respect to each of them. */
  readonly from: readonly (readonly [Scalar, number])[];
};

let made = 0;

function make(value: number, from: (readonly [Scalar, number])[] = []): Scalar {
  return { value, id: made++, from };
}

/** A number without history: a variable to differentiate by, or a constant. */
export const leaf = (value: number): Scalar => make(value);

/** The same number as a constant: no slope goes through. */
export const held = (a: Scalar): Scalar => make(a.value);

export const plus = (a: Scalar, b: Scalar): Scalar =>
  make(a.value + b.value, [
    [a, 1],
    [b, 1],
  ]);

export const minus = (a: Scalar, b: Scalar): Scalar =>
  make(a.value - b.value, [
    [a, 1],
    [b, -1],
  ]);

export const times = (a: Scalar, b: Scalar): Scalar =>
  make(a.value * b.value, [
    [a, b.value],
    [b, a.value],
  ]);

export const over = (a: Scalar, b: Scalar): Scalar =>
  make(a.value / b.value, [
    [a, 1 / b.value],
    [b, -a.value / b.value ** 2],
  ]);

/** factor · a */
export const scaled = (a: Scalar, factor: number): Scalar => make(a.value * factor, [[a, factor]]);

/** a + amount */
export const shifted = (a: Scalar, amount: number): Scalar => make(a.value + amount, [[a, 1]]);

export const exp = (a: Scalar): Scalar => make(Math.exp(a.value), [[a, Math.exp(a.value)]]);

export const log = (a: Scalar): Scalar => make(Math.log(a.value), [[a, 1 / a.value]]);

export const sum = (all: readonly Scalar[]): Scalar =>
  make(
    all.reduce((total, { value }) => total + value, 0),
    all.map((a) => [a, 1] as const),
  );

export const mean = (all: readonly Scalar[]): Scalar => scaled(sum(all), 1 / all.length);

/** log Σ exp, the largest taken out first. −∞ for an empty list. */
export function logSumExp(all: readonly Scalar[]): Scalar {
  if (all.length === 0) return make(-Infinity);
  const largest = Math.max(...all.map(({ value }) => value));
  const total = all.reduce((so, { value }) => so + Math.exp(value - largest), 0);
  return make(
    largest + Math.log(total),
    all.map((a) => [a, Math.exp(a.value - largest) / total] as const),
  );
}

/** Σ aᵢ·bᵢ */
export function dot(a: readonly Scalar[], b: readonly Scalar[]): Scalar {
  const value = a.reduce((total, x, i) => total + x.value * b[i].value, 0);
  return make(
    value,
    a.flatMap((x, i) => [[x, b[i].value] as const, [b[i], x.value] as const]),
  );
}

/** The row divided by max(its length, 1e-12). */
export function unit(row: readonly Scalar[]): Scalar[] {
  const norm = Math.sqrt(row.reduce((total, { value }) => total + value ** 2, 0));
  if (norm < 1e-12) return row.map((x) => scaled(x, 1e12));
  // ∂(xᵢ / ‖x‖) / ∂xⱼ = (δᵢⱼ − xᵢ·xⱼ / ‖x‖²) / ‖x‖
  return row.map((x, i) =>
    make(
      x.value / norm,
      row.map((y, j) => [y, ((i === j ? 1 : 0) - (x.value * y.value) / norm ** 2) / norm] as const),
    ),
  );
}

/** Slope of `root` with respect to each number it was made of, by id. */
export function slopes(root: Scalar): Map<number, number> {
  const reached = new Map<number, Scalar>();
  const waiting = [root];
  for (let a = waiting.pop(); a !== undefined; a = waiting.pop()) {
    if (reached.has(a.id)) continue;
    reached.set(a.id, a);
    waiting.push(...a.from.map(([b]) => b));
  }
  const slope = new Map<number, number>([[root.id, 1]]);
  // a number is made after everything it is made of
  for (const id of [...reached.keys()].sort((a, b) => b - a)) {
    for (const [b, by] of reached.get(id)!.from) {
      slope.set(b.id, (slope.get(b.id) ?? 0) + slope.get(id)! * by);
    }
  }
  return slope;
}
