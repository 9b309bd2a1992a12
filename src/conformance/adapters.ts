import type { Adapter } from "./adapter.ts";
import { contrastiveCrop, contrastiveCropBox } from "./adapters/contrastiveCrop.ts";
import { debiased, hardNegative } from "./adapters/debiased.ts";
import { decoupled } from "./adapters/decoupled.ts";
import { fnc } from "./adapters/fnc.ts";
import { fncSelect } from "./adapters/fncSelect.ts";
import { gloFnd } from "./adapters/gloFnd.ts";
import { infoNce } from "./adapters/infoNce.ts";
import { instDiscNce, instDiscSoftmax } from "./adapters/instDisc.ts";
import { invariancePropagation } from "./adapters/invariancePropagation.ts";
import { knnVote } from "./adapters/knnVote.ts";
import { looc } from "./adapters/looc.ts";
import { mochi } from "./adapters/mochi.ts";
import { nnclr } from "./adapters/nnclr.ts";
import { ntXent } from "./adapters/ntXent.ts";
import { pairSamplers } from "./adapters/pairSampler.ts";
import { ring } from "./adapters/ring.ts";
import { supCon } from "./adapters/supCon.ts";
import { synco } from "./adapters/synco.ts";
import { viewLosses } from "./adapters/viewLoss.ts";
import { viewTriage } from "./adapters/viewTriage.ts";

/** How this package computes each method of conformance cases. */
export const adapters: Readonly<Record<string, Adapter>> = {
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
