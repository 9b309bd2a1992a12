import type { RunRecord } from "../train/run/runFiles.ts";
import type { Baselines, Curve, Curves } from "./wire.ts";

const place = new Set(["kind", "epoch", "step", "elapsedSeconds"]);

/** The curves of some records: of steps by the figure's name, of others with their kind before it. */
export function curvesOf(records: readonly RunRecord[]): Curves {
  const curves: Record<string, { x: number[]; y: (number | null)[] }> = {};
  for (const record of records) {
    if (record.kind === "baselines") continue;
    const prefix = record.kind === "step" ? "" : `${record.kind}.`;
    for (const [name, value] of Object.entries(record)) {
      if (place.has(name) || typeof value !== "number") continue;
      const curve = (curves[prefix + name] ??= { x: [], y: [] });
      curve.x.push(record.step + (record.kind === "step" ? 1 : 0)); // steps done
      curve.y.push(value);
    }
  }
  return curves;
}

/** What is to be beaten, as far as some records say it. */
export const baselinesOf = (records: readonly RunRecord[]): Baselines =>
  Object.assign({}, ...records.filter(({ kind }) => kind === "baselines")) as Baselines;

/** A curve as at most about `most` points, each the mean of as many neighbours. */
export function condensed({ x, y }: Curve, most: number): Curve {
  const each = Math.ceil(x.length / most);
  if (each <= 1) return { x, y };
  const [xs, ys]: [number[], (number | null)[]] = [[], []];
  for (let at = 0; at < x.length; at += each) {
    const known = y.slice(at, at + each).filter((value) => value !== null);
    xs.push(x[Math.min(x.length, at + each) - 1]);
    ys.push(known.length === 0 ? null : known.reduce((sum, v) => sum + v, 0) / known.length);
  }
  return { x: xs, y: ys };
}
