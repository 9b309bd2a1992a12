import { existsSync } from "node:fs";
import { resolve } from "node:path";

import { detectSource, isPackedDataset, type SplitChoice } from "../../data/index.ts";
import type { Training } from "../../inference/index.ts";
import { isRun, readRunConfig, runFolder } from "../../train/index.ts";
import type { EvaluationSources } from "./keptEvaluation.ts";

/** A place and the part of it that is read, with a file of labels where one was given. */
export type Place = {
  readonly path: string;
  readonly split: SplitChoice | undefined;
  readonly labels?: string | undefined;
};

/**
 * The images to learn from and those to ask, undefined where they are held out of the first. A part that
 * is named is one of the test images; without these a held-out part of the place itself, or what is
 * learned from.
 */
export function placesOf(
  { train, test, split }: EvaluationSources,
  training: Training | undefined,
): { learned: Place; asked: Place | undefined } {
  const path = train ?? training!.data;
  const isOwn = resolve(path) === training?.data;
  const own = isOwn ? training.split : undefined;
  const labels = isOwn ? training.labels : undefined;
  if (test !== undefined) {
    return {
      learned: { path, split: own, labels },
      asked: { path: test, split: split ?? "heldOut" },
    };
  }
  if (split === "val" || split === "test" || split === "heldOut") {
    return { learned: { path, split: "auto", labels }, asked: { path, split } };
  }
  return { learned: { path, split: split ?? own, labels }, asked: undefined };
}

/** Whether reading a part, as training does, leaves held-out images in it: they may be trained on then. */
const readsHeldOut = (split: SplitChoice = "auto"): boolean =>
  split === "all" || split === "val" || split === "test";

/** Whether a place has a part with labels that is held out of what is trained on, `split` of it. */
export async function holdsOut(path: string, split?: SplitChoice): Promise<boolean> {
  if (readsHeldOut(split) || !existsSync(path) || (await isPackedDataset(path))) return false;
  const source = await detectSource(path, { split: "heldOut" });
  if (source.part === undefined) return false;
  for await (const { label } of source.entries(() => undefined)) {
    if (label !== undefined) return true;
  }
  return false;
}

/** The test images that a run was given, as long as they are there. */
function ownTest(path: string): string | undefined {
  const { test } = isRun(path) ? readRunConfig(runFolder(path)) : {};
  return test !== undefined && existsSync(test) ? test : undefined;
}

/** The held-out part of a place is asked where it has labels and was not trained on. */
async function withHeldOut(
  asked: EvaluationSources,
  data: string,
  training: Training | undefined,
  note: (text: string) => void,
): Promise<EvaluationSources> {
  const isOwn = resolve(data) === training?.data;
  const own = isOwn ? training.split : undefined;
  if (await holdsOut(data, own)) return { ...asked, split: "heldOut" };
  if (isOwn) {
    const why = readsHeldOut(own) ? `training read ${own}` : "no part with labels is held out";
    note(
      `note       ${why}: images that the encoder was trained on are asked; --test names others`,
    );
  }
  return asked;
}

/**
 * Images as asked for. Where none are to be asked these are the test images of the run at `path`, else the held-out
 * part of what is learned from. Where it has none, and the encoder was trained on that, `note` is told that training
 * images will be asked.
 */
export async function sourcesOf(
  path: string,
  asked: EvaluationSources,
  training: Training | undefined,
  note: (text: string) => void,
): Promise<EvaluationSources> {
  const { train, test: given, split } = asked;
  if (given !== undefined || split !== undefined) return asked;
  const test = train === undefined ? ownTest(path) : undefined;
  if (test !== undefined) return { test };
  const data = train ?? training?.data;
  return data === undefined ? asked : withHeldOut(asked, data, training, note);
}

/** How test images came about that nobody gave. */
export function howOf({ train, test, split }: EvaluationSources): string | undefined {
  const isOne = train !== undefined && test !== undefined && resolve(train) === resolve(test);
  return isOne || (test === undefined && split === "heldOut")
    ? "the part that is held out beside the training part"
    : undefined;
}
