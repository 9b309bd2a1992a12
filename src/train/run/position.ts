import type { ConfigTree } from "../../config/schema.ts";
import type { Lengths } from "./runFiles.ts";

/** How far training has come, and what goes on with it. Everything in a checkpoint beside arrays. */
export type Position = {
  readonly format: 1;
  readonly package: string; // version that wrote it
  readonly step: number; // steps done
  readonly epoch: number; // epochs done
  readonly stepInEpoch: number; // steps done of the epoch after them
  readonly elapsedSeconds: number; // of training, over all sittings
  readonly best: number | null; // the best score so far
  readonly behindStart: boolean; // whether the last measurement was behind the pretrained encoder that it began with
  readonly lossSum: number; // over the steps of this epoch, for its mean
  readonly lengths: Lengths;
  readonly configHash: string;
  readonly decisive: ConfigTree;
};
