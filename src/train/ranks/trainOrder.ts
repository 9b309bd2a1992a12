import type { StepAt } from "../../frameworks/index.ts";
import type { OpenConfig } from "../../config/automatic.ts";
import type { RunConfig } from "../../config/schema.ts";
import type { Target } from "../stepper.ts";

/** What rank 0 of a training says to the others. */
export type TrainOrder =
  | {
      /** Open images and programs, and tell how that went. */
      readonly kind: "open";
      readonly config: OpenConfig | RunConfig;
      /** Whether the run exists and is gone on with. */
      readonly exists: boolean;
      readonly tune: Target["tune"];
    }
  /** Make batches from a step on; boxes of crops follow where there are some. */
  | {
      readonly kind: "batches";
      readonly step: number;
      readonly epochs: number;
      readonly boxes: boolean;
    }
  /** Encode the next batch, or do a whole step; the state follows where it is not the one of the last step. */
  | { readonly kind: "embed" | "step"; readonly at: StepAt; readonly fresh: boolean }
  /** Tell what the state has come to. */
  | { readonly kind: "digest" };

/** What a rank says of how it opened a run. */
export type OpenReply = {
  readonly fingerprint?: string | undefined;
  readonly images?: number | undefined;
  readonly error?: { name: string; message: string; hint?: string | undefined } | undefined;
};
