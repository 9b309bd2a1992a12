import { adnce } from "./adnce.ts";
import { debiased } from "./debiased.ts";
import { decoupled } from "./decoupled.ts";
import { hardNegative } from "./hardNegative.ts";
import { ifm } from "./ifm.ts";
import { infoNce } from "./infoNce.ts";
import { rince } from "./rince.ts";
import { sigmoid } from "./sigmoid.ts";
import { supCon } from "./supCon.ts";

export { vonMisesWeights } from "./decoupled.ts";
export { instanceLogNormaliser, instanceNce, type InstanceNceOptions } from "./instanceNce.ts";
export type { Loss, LossDefinition } from "./loss.ts";
export { defineLoss } from "./loss.ts";
export { againstMass, negativeMass, type NegativeMass, type Reweighting } from "./reweighted.ts";
export { adnce, debiased, decoupled, hardNegative, ifm, infoNce, rince, sigmoid, supCon };

/** Every loss on similarities and pairs, by the name used in configs, on the command line and in the docs. */
export const losses = {
  infoNce,
  supCon,
  decoupled,
  debiased,
  hardNegative,
  adnce,
  ifm,
  rince,
  sigmoid,
};
