import type { Evidence, Verdict } from "./records.ts";
import type { Signs } from "./signs.ts";

/** What is wrong. */
export type Found = {
  readonly sentence: string;
  readonly evidence: Evidence[];
  readonly change: string;
  readonly verdict?: Verdict; // where it is not the finding's own
};

/** One thing that may be wrong. */
export type Finding = {
  readonly name: string;
  readonly verdict: Verdict;
  /** Whether a sound run may be so while it is young: the doctor says it when asked, training says nothing of it. */
  readonly passing?: boolean;
  /** What is wrong, or undefined where this is not it. */
  readonly look: (signs: Signs) => Found | undefined;
};

/** A figure with what is expected of it. */
export const fact = (name: string, value: number, expected: string): Evidence => ({
  name,
  value,
  expected,
});
