import { availableParallelism } from "node:os";
import { join } from "node:path";

import type { CompareData, CompareFolder, PlannedArm } from "../../../compare/index.ts";
import { ConfigError } from "../../../core/errors.ts";
import { quoted, quotedNames } from "../../../core/quote.ts";
import { keptCopies } from "../../../data/index.ts";
import {
  labelledOnly,
  labelsIn,
  type OpenImagesOptions,
  refuseSame,
} from "../../../inference/index.ts";
import {
  closeKept,
  type Meeting,
  meetStart,
  openKept,
  openStart,
  openTrainingData,
  type RunConfig,
  targetOf,
  type TrainingData,
  viewSize,
  isBodyFrozen,
} from "../../../train/index.ts";
import type { Call } from "../../verb.ts";
import { fetchingOf } from "../../common/images.ts";
import { trainView } from "../../common/trainView.ts";
import type { Request } from "./request.ts";

/** Refuses test images that are the training images, or none of which has a class of these. */
function checkTest({ train, test }: CompareData, path: string | undefined): void {
  if (test === undefined) return;
  refuseSame("compare", train, test);
  if (train.classes === undefined) return;
  const labels = labelsIn(test, train.classes);
  if (labels !== undefined && labelledOnly(labels).length > 0) return;
  throw new ConfigError(
    `compare: no image of ${quoted(path)} has a class of the training images (${quotedNames(train.classes)})`,
    "classes are the names of the folders that images lie in",
  );
}

/** The side of views that all arms have, where one is given. A pretrained encoder is opened for one. */
function sizeOf({ arms, from }: Request): number | undefined {
  const [first, ...others] = arms.map(({ tree }) => viewSize(tree));
  const other = others.find((size) => size !== first);
  if (from === undefined || others.every((size) => size === first)) return first;
  throw new ConfigError(
    `compare: imageSize differs between arms (${first ?? "the start's own"}, ${other ?? "the start's own"}), expected the same in all with --from`,
    "give it once, by --image-size",
  );
}

/** How arms look at images with a pretrained encoder: frozen where one of them has it so, and all the same. */
function sharedBy({ arms, from, labels }: Request): Meeting {
  const [first, ...others] = arms.map(({ tree }) => tree as Partial<RunConfig>);
  const other = others.find(({ wholeImages }) => wholeImages !== first.wholeImages);
  if (from !== undefined && other !== undefined) {
    throw new ConfigError(
      "compare: wholeImages differs between arms, expected the same in all with --from",
      "give it once, by --set wholeImages=true",
    );
  }
  const frozen = arms.some(({ tree }) => isBodyFrozen(tree));
  return { freeze: frozen ? "body" : "none", wholeImages: first.wholeImages, labels };
}

/** Computes the features that runs with a frozen body go by, with all cores, before several runs ask for them. */
export async function keepFeatures(
  { folder, data, call }: { folder: CompareFolder; data: CompareData; call: Call },
  arms: readonly PlannedArm[],
): Promise<void> {
  const { train, test, start } = data;
  const listener = trainView(call.printer);
  const given = { data: train, test, start, listener, signal: call.signal };
  const configs = arms.map(({ plan: { config } }) => ({
    ...config,
    out: join(folder.runs, "any"),
  }));
  const different = new Map(
    configs.map((config) => [JSON.stringify([config.views, config.keptViews]), config]),
  );
  for (const config of different.values()) {
    const target = targetOf({ ...config, threads: availableParallelism() });
    closeKept(await openKept(config, target, given));
  }
}

/** Opens, and packs once for all runs, the images of a comparison, and the encoder that it begins with. */
export async function openImages(
  request: Request,
  folder: CompareFolder,
  call: Call,
): Promise<CompareData> {
  const { data, test, groups, labels, split, from } = request;
  const size = sizeOf(request);
  const found = from === undefined ? undefined : await openStart(from, size, fetchingOf(call));
  const imageSize = size ?? found?.description.imageSize;
  const open = (path: string, more: Pick<OpenImagesOptions, "groups" | "labels" | "split">) =>
    openTrainingData(path, {
      out: join(folder.runs, "any"),
      imageSize,
      ...more,
      listener: trainView(call.printer),
      signal: call.signal,
    });
  const train = await open(data, { groups, labels, split });
  let tested: TrainingData | undefined;
  try {
    tested = test === undefined ? undefined : await open(test, { split: "heldOut" });
    const asked = { ...sharedBy(request), out: join(folder.runs, "any") };
    const listener = trainView(call.printer);
    const start = await meetStart(found, asked, { data: train, listener, signal: call.signal });
    const images = { train, test: tested, start };
    checkTest(images, test);
    if (tested !== undefined) {
      call.printer.redraw("looking for copies of training images among the test images");
      await keptCopies(train.dataset, tested.dataset, call.signal); // each evaluation reads what is kept
    }
    return images;
  } catch (error) {
    for (const images of [train, tested]) images?.close();
    throw error;
  }
}
