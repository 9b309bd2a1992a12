const point = (x: number, y: number): string => `${x.toFixed(1)},${y.toFixed(1)}`;

/** The runs of neighbouring places whose value is finite, as lists of places. */
export function finiteRuns(values: readonly number[]): number[][] {
  const runs: number[][] = [];
  values.forEach((value, i) => {
    if (!Number.isFinite(value)) return;
    const current = runs.at(-1);
    if (current?.at(-1) === i - 1) current?.push(i);
    else runs.push([i]);
  });
  return runs;
}

/** A path through the points, broken where a value is missing. */
export function linePath(xs: readonly number[], ys: readonly number[]): string {
  return finiteRuns(ys)
    .map((run) => "M" + run.map((i) => point(xs[i], ys[i])).join("L"))
    .join("");
}

/** A closed path along the lower and back along the upper values. */
export function areaPath(
  xs: readonly number[],
  low: readonly number[],
  high: readonly number[],
): string {
  return finiteRuns(low)
    .map((run) => {
      const there = run.map((i) => point(xs[i], low[i]));
      const back = run.map((i) => point(xs[i], high[i])).reverse();
      return `M${[...there, ...back].join("L")}Z`;
    })
    .join("");
}
