import { type Features, inverseNorms } from "../../metrics/index.ts";
import { counted } from "../format.ts";
import type { Call } from "../verb.ts";

/** Says how many vectors are all zeros: these have no direction, so that no similarity to them means anything. */
export function sayZeros(features: Features, { printer }: Pick<Call, "printer">): void {
  const zeros = inverseNorms(features).filter((inverse) => inverse === 0).length;
  if (zeros === 0) return;
  printer.note(
    `note       the vectors of ${counted(zeros, "image")} are all zeros: they are like no other; look at how they were embedded`,
  );
}
