import type { Features } from "../metrics/index.ts";
import type { ViewPolicy } from "../views/index.ts";
import type { FeaturesKind } from "./embedSet.ts";
import type { Split } from "./split.ts";

/** How an encoder is evaluated. */
export type EvaluateOptions = {
  readonly k?: number | undefined;
  readonly temperature?: number | undefined;
  readonly seed?: number | undefined;
  /** How the test images came about, in words; as given by default. */
  readonly how?: string | undefined;
  readonly features?: FeaturesKind | undefined;
  readonly device?: string | undefined;
  readonly threads?: number | undefined;
  /** Leaves out the untrained encoder and the raw pixels. */
  readonly baselines?: boolean | undefined;
  /** Folder of kept features, for runs that left their start as it was. */
  readonly kept?: string | undefined;
  readonly progress?: (what: string, done: number, total: number) => void;
  readonly signal?: AbortSignal | undefined;
};

/** What is measured, and on what. */
export type Plan = {
  readonly split: Split;
  readonly policy: ViewPolicy;
  readonly aligned: Int32Array; // images of which two views are compared
  readonly vote: { readonly k: number; readonly temperature: number };
  readonly seed: number;
  readonly options: EvaluateOptions;
};

/** What an encoder makes of the images of a plan. */
export type Seen = {
  readonly trained: Features;
  readonly tested: Features;
  readonly pairs: Features; // rows 2i and 2i + 1: two views of an image
};
