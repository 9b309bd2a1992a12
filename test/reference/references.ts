import { contrastiveCrop } from "./contrastiveCrop.ts";
import { contrastiveCropBox } from "./contrastiveCropBox.ts";
import { debiased } from "./debiased.ts";
import { decoupled } from "./decoupled.ts";
import { fnc } from "./fnc.ts";
import { fncSelect } from "./fncSelect.ts";
import { gloFnd } from "./gloFnd.ts";
import { hardNegative } from "./hardNegative.ts";
import { infoNce } from "./infoNce.ts";
import { instDiscNce } from "./instDiscNce.ts";
import { instDiscSoftmax } from "./instDiscSoftmax.ts";
import { invariancePropagation } from "./invariancePropagation.ts";
import { knnVote } from "./knnVote.ts";
import { looc } from "./looc.ts";
import { mochi } from "./mochi.ts";
import { nnclr } from "./nnclr.ts";
import { ntXent } from "./ntXent.ts";
import { pairSamplers } from "./pairSamplers.ts";
import { ring } from "./ring.ts";
import type { Expected } from "./standard.ts";
import { supCon } from "./supCon.ts";
import { synco } from "./synco.ts";
import { viewLosses } from "./viewLosses.ts";
import { viewTriage } from "./viewTriage.ts";

/** A method as loops over numbers: parameters and inputs of a case to everything that it expects. */
export type Reference = (params: never, inputs: never) => Expected;

/** Every method of conformance cases, slowly. */
export const references: Record<string, Reference> = {
  ntXent,
  infoNce,
  instDiscNce,
  instDiscSoftmax,
  supCon,
  debiased,
  hardNegative,
  mochi,
  synco,
  ring,
  looc,
  fncSelect,
  fnc,
  gloFnd,
  invariancePropagation,
  contrastiveCropBox,
  contrastiveCrop,
  viewTriage,
  decoupled,
  nnclr,
  knnVote,
  ...pairSamplers,
  ...viewLosses,
};
