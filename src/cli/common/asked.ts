import type { BaselineRecord, EvaluationRecord, RunConfig } from "../../train/index.ts";
import { count, counted, percent } from "../format.ts";

/** Which images a k-NN accuracy of training is of: `1,000 test images (held out) by 1,000 training images`. */
export function askedImages({
  knnAsked,
  knnImages,
  knnAmong,
}: Pick<EvaluationRecord, "knnAsked" | "knnImages" | "knnAmong">): string {
  const images = knnImages === undefined ? "" : `${count(knnImages)} `;
  const by = knnAmong === undefined ? "" : ` by ${counted(knnAmong, "training image")}`;
  if (knnAsked === "test") return `${images}test images (held out)${by}`;
  return `${images}training images, each by the others (leave-one-out)`;
}

/** Says how many test images are copies of training images. */
export const copiesSentence = (copies: number, test: number): string =>
  `${count(copies)} of ${counted(test, "test image")} ${copies === 1 ? "is a copy" : "are copies"} of training images, which flatters every figure`;

/** What the weights are called that a run begins with. */
export const firstWeights = (from: string | undefined, init: string | undefined): string =>
  from !== undefined ? "start, not adapted" : init !== undefined ? "at first" : "untrained";

/** Names and shares of what the encoder has to beat, those that were measured. */
export function barsOf(
  { knnPixels, knnStart, agreementPixels, agreementStart }: Partial<BaselineRecord>,
  { init, from }: Pick<RunConfig, "init" | "from">,
): [name: string, share: number][] {
  const start = firstWeights(from, init);
  const bars = [
    ["raw pixels", knnPixels ?? agreementPixels],
    [start, knnStart ?? agreementStart],
  ] as const;
  return bars.flatMap(([name, share]) => (share === undefined ? [] : [[name, share]]));
}

/** `raw pixels 27.1 %, untrained 12.9 %, chance 10.0 %`. */
export const barsLine = (bars: readonly (readonly [string, number])[]): string =>
  bars.map(([name, share]) => `${name} ${percent(share)}`).join(", ");
