/** Outputs that are indices, masks, counts or whole pixels: compared for equality, by their last name. */
const EXACT = new Set([
  ...["clamped", "mask", "demoted", "selected", "truePositive"],
  ...["topIndices", "members", "indices", "neighbours", "nearest", "nearest1", "nearest2"],
  ...["positivesPerStep", "multiset", "hardPositives", "hardNegatives", "refreshedNeighbours"],
  ...["predictions", "attempt", "range", "crop"],
]);

/** How far numbers may be from what is expected. */
export type Tolerance = { loss: number; gradient: number };

/** What a comparison found. */
export type Comparison = {
  /** Largest error over its tolerance; null where something cannot be measured: another shape, NaN, an integer. */
  error: number | null;
  /** One sentence for each output that does not agree. */
  failures: string[];
};

const none: Comparison = { error: 0, failures: [] };

const failed = (failure: string): Comparison => ({ error: null, failures: [failure] });

/** Both findings. */
function joined(a: Comparison, b: Comparison): Comparison {
  const error = a.error === null || b.error === null ? null : Math.max(a.error, b.error);
  return { error, failures: [...a.failures, ...b.failures] };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return isObject(value) ? "an object" : String(value);
}

/** The numbers of nested lists beside those expected, or the first place where the lists differ in shape. */
function paired(got: unknown, want: unknown, path: string): [string, number, number][] | string {
  if (Array.isArray(want)) {
    if (!Array.isArray(got) || got.length !== want.length) {
      return `${path} is ${kindOf(got)}, expected ${kindOf(want)}`;
    }
    const all: [string, number, number][] = [];
    for (let i = 0; i < want.length; i++) {
      const inner = paired(got[i], want[i], `${path}[${i}]`);
      if (typeof inner === "string") return inner;
      for (const triple of inner) all.push(triple);
    }
    return all;
  }
  if (typeof want !== "number") return `${path} is expected to be ${kindOf(want)}, no number`;
  if (typeof got !== "number") return `${path} is ${kindOf(got)}, expected ${want}`;
  return [[path, got, want]];
}

/** The worst of many errors, in a sentence where it is above 1. */
function worstOf(
  pairs: [string, number, number][],
  errorOf: (got: number, want: number) => number,
): Comparison {
  let [worst, beyond, sentence] = [0, 0, ""];
  for (const [path, got, want] of pairs) {
    if (!Number.isFinite(got)) return failed(`${path} is ${got}, expected ${want}`);
    const error = errorOf(got, want);
    if (error > 1) beyond++;
    if (error > 1 && error > worst) sentence = `${path} is ${got}, expected ${want}`;
    worst = Math.max(worst, error);
  }
  const more = beyond > 1 ? ` (and ${beyond - 1} more)` : "";
  return { error: worst, failures: sentence === "" ? [] : [`${sentence}${more}`] };
}

function compareReals(got: unknown, want: unknown, path: string, tolerance: number): Comparison {
  const pairs = paired(got, want, path);
  if (typeof pairs === "string") return failed(pairs);
  return worstOf(pairs, (g, w) => Math.abs(g - w) / (tolerance * Math.max(1, Math.abs(w))));
}

function compareExactly(got: unknown, want: unknown, path: string): Comparison {
  const pairs = paired(got, want, path);
  if (typeof pairs === "string") return failed(pairs);
  const wrong = pairs.filter(([, g, w]) => g !== w);
  if (wrong.length === 0) return none;
  const [[where, g, w]] = wrong;
  const more = wrong.length > 1 ? ` (and ${wrong.length - 1} more)` : "";
  return failed(`${where} is ${g}, expected ${w}${more}`);
}

/** One gradient: both maxima are over the whole array. */
function compareGradient(got: unknown, want: unknown, path: string, tolerance: number): Comparison {
  const pairs = paired(got, want, path);
  if (typeof pairs === "string") return failed(pairs);
  const largest = pairs.reduce((most, [, , w]) => Math.max(most, Math.abs(w)), 0.1);
  return worstOf(pairs, (g, w) => Math.abs(g - w) / (tolerance * largest));
}

function compareOne(got: unknown, want: unknown, path: string, tolerance: Tolerance): Comparison {
  if (got === undefined) return failed(`${path} is missing`);
  if (want === null || got === null) {
    return want === got ? none : failed(`${path} is ${kindOf(got)}, expected ${kindOf(want)}`);
  }
  if (isObject(want)) {
    if (!isObject(got)) return failed(`${path} is ${kindOf(got)}, expected an object`);
    return Object.keys(want)
      .map((key) => compareOne(got[key], want[key], `${path}.${key}`, tolerance))
      .reduce(joined, none);
  }
  const names = path.split(".");
  if (names[0] === "gradients") return compareGradient(got, want, path, tolerance.gradient);
  if (EXACT.has(names.at(-1)!)) return compareExactly(got, want, path);
  return compareReals(got, want, path, tolerance.loss);
}

/**
 * Compares outputs with those expected; outputs that are not expected are not looked at.
 *
 * Real numbers one by one: |got − want| ≤ tolerance.loss · max(1, |want|). Gradients over a whole array:
 * max |got − want| ≤ tolerance.gradient · max(0.1, max |want|). Integers and null are equal.
 */
export function compareOutputs(
  got: Record<string, unknown>,
  want: Record<string, unknown>,
  tolerance: Tolerance,
): Comparison {
  return Object.keys(want)
    .map((key) => compareOne(got[key], want[key], key, tolerance))
    .reduce(joined, none);
}
