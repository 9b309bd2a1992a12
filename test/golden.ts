import { existsSync, readFileSync } from "node:fs";

import { expect } from "vitest";

const file = new URL("../../shared/golden/conformance.json", import.meta.url);

/** Nested lists of numbers, as inputs and outputs of a case are written. */
export type Rows = number[][];

/** One reference case: inputs, options and draws, and what follows from them (`contrapose-conformance/1`). */
export type GoldenCase<
  P = Record<string, unknown>,
  I = Record<string, Rows>,
  E = { loss: number; perAnchor: number[] },
> = {
  /** Method, a slash, and what is special about it. */
  id: string;
  method: string;
  params: P;
  inputs: I;
  /** Inputs whose gradient is expected. */
  differentiate: string[];
  expect: E & { gradients?: Record<string, Rows> };
  /** For float32; float64 holds to 1e-10. */
  tolerance: { loss: number; gradient: number };
};

/** Whether the reference cases are beside this checkout; tests that need them are skipped where not. */
export const goldenPresent = existsSync(file);

const all = goldenPresent
  ? (JSON.parse(readFileSync(file, "utf8")) as { cases: GoldenCase[] }).cases
  : [];

/** Cases of one method; none where the file is absent. */
export function goldenCases<C = GoldenCase>(method: string): C[] {
  return all.filter((one) => one.method === method) as C[];
}

/** Number by number: |got − want| ≤ tolerance · max(1, |want|), the rule for everything but gradients. */
export function expectNear(got: number[], want: number[], tolerance: number, id: string): void {
  expect(got, id).toHaveLength(want.length);
  got.forEach((value, i) => {
    const error = Math.abs(value - want[i]) / Math.max(1, Math.abs(want[i]));
    expect(error, `${id}, number ${i}`).toBeLessThanOrEqual(tolerance);
  });
}

/** Largest error of a gradient ≤ tolerance · max(0.1, largest gradient), over one whole array. */
export function expectSlope(got: number[], want: number[], tolerance: number, id: string): void {
  expect(got, id).toHaveLength(want.length);
  const scale = Math.max(0.1, ...want.map(Math.abs));
  const worst = Math.max(...got.map((value, i) => Math.abs(value - want[i])));
  expect(worst / scale, `${id}, gradient`).toBeLessThanOrEqual(tolerance);
}
