import { existsSync } from "node:fs";

import type { PixelImage } from "../../core/pixels.ts";
import { permutation, randomStream } from "../../core/random.ts";
import { conversionLine, encodeWebp, resizeImage } from "../../data/index.ts";
import { type Accuracies, type Evaluation, nearestImages } from "../../evaluate/index.ts";
import { readJsonLines } from "../../files/index.ts";
import type { Images, LoadedEncoder } from "../../inference/index.ts";
import type {
  EpochPoint,
  Measures,
  ReportData,
  Thumbnail,
  TrainingPoint,
} from "../../report/index.ts";
import {
  type BaselineRecord,
  type EvaluationRecord,
  metricsLine,
  readRunConfig,
  type RunConfig,
  type RunFolder,
  type StepRecord,
} from "../../train/index.ts";
import { previewViews } from "../../views/index.ts";
import { askedImages, firstWeights } from "./asked.ts";
import { square } from "./picture.ts";

type RunRecord = StepRecord | EvaluationRecord | BaselineRecord;

const SIDE = 72;

async function thumbnail(
  image: PixelImage,
  more: Omit<Thumbnail, "source"> = {},
): Promise<Thumbnail> {
  const cut = square(image);
  const shown = cut.width > SIDE ? await resizeImage(cut, SIDE, SIDE) : cut;
  const bytes = await encodeWebp(shown, 82);
  return { source: `data:image/webp;base64,${Buffer.from(bytes).toString("base64")}`, ...more };
}

function facts(images: Images, index: number): Omit<Thumbnail, "source"> {
  const label = images.labels?.[index] ?? -1;
  return {
    path: images.idOf(index),
    ...(label < 0 ? {} : { label: images.classes?.[label] }),
  };
}

const own = (image: PixelImage): PixelImage => ({ ...image, data: image.data.slice() });

async function viewRows(images: Images, config: RunConfig) {
  const order = permutation(randomStream(config.seed, "reportViews"), images.count).slice(0, 4);
  const rows = Array.from(order, async (index) => {
    const image = own(images.image(index));
    const views = previewViews(image, config.views, config.seed + index, 8);
    return {
      original: await thumbnail(image, facts(images, index)),
      views: await Promise.all(views.map((view) => thumbnail(view.image))),
    };
  });
  return Promise.all(rows);
}

async function neighbourRows(images: Images, loaded: LoadedEncoder, seed: number) {
  const found = await nearestImages(loaded, images, { queries: 6, k: 8, seed });
  return Promise.all(
    found.map(async ({ query, neighbours }) => ({
      query: await thumbnail(own(images.image(query)), facts(images, query)),
      neighbours: await Promise.all(
        neighbours.map(async ({ index, similarity }) => ({
          ...(await thumbnail(own(images.image(index)), facts(images, index))),
          similarity,
        })),
      ),
    })),
  );
}

type Measurable = Accuracies &
  Pick<Evaluation, "uniformity" | "effectiveRank"> & { alignment?: number };

const measured = (value: number | undefined) => (value === undefined ? undefined : { value });

const accuracy = (one: Accuracies["linear"]) =>
  one && { value: one.accuracy, interval: one.interval, withoutCopies: one.withoutCopies };

function measuresOf(of: Measurable): Measures {
  const { knn, knnStandardised, linear, alignment, uniformity, effectiveRank } = of;
  return {
    knn: accuracy(knn),
    knnBalanced: measured(knn?.balanced),
    knnStandardised: accuracy(knnStandardised),
    linear: accuracy(linear),
    linearBalanced: measured(linear?.balanced),
    alignment: measured(alignment),
    uniformity: measured(uniformity),
    effectiveRank: measured(effectiveRank),
  };
}

function evaluationOf(evaluation: Evaluation): ReportData["evaluation"] {
  const { baselines, images, knn, dimension } = evaluation;
  const { chance, start, untrained, pixels } = baselines;
  return {
    trained: measuresOf(evaluation),
    baselines: {
      ...(chance === null ? {} : { chance: { knn: { value: chance }, linear: { value: chance } } }),
      ...(start === undefined ? {} : { start: measuresOf(start) }),
      ...(untrained === undefined ? {} : { untrained: measuresOf(untrained) }),
      ...(pixels === undefined ? {} : { pixels: measuresOf(pixels) }),
    },
    copies: images.copies,
    testSet: images.how,
    testImages: images.test,
    trainImages: images.train,
    dimension,
    intervals:
      "95 % intervals for the draw of the test images (Wilson); another seed varies beyond that",
    ...(knn === undefined ? {} : { knn: { k: knn.k, temperature: knn.temperature } }),
  };
}

/** Figures of a record that are numbers, by name. */
const numbersIn = (record: Readonly<Record<string, unknown>>): Record<string, number> =>
  Object.fromEntries(
    Object.entries(record).filter(
      (entry): entry is [string, number] => typeof entry[1] === "number",
    ),
  );

/** What the encoder had to beat while it trained; undefined of runs that did not measure it. */
function epochBaselinesOf(
  records: readonly RunRecord[],
  config: RunConfig,
): ReportData["epochBaselines"] {
  const found = records.find((record) => record.kind === "baselines");
  if (found === undefined) return undefined;
  const { knnPixels, knnStart, agreementPixels, agreementStart } = found;
  return {
    knnPixels,
    knnStart,
    agreementPixels,
    agreementStart,
    startName: firstWeights(config.from, config.init),
    ...(found.knnAsked === undefined ? {} : { asked: askedImages(found) }),
  };
}

function pointsOf(records: readonly RunRecord[]) {
  const training: TrainingPoint[] = [];
  const epochs: EpochPoint[] = [];
  for (const record of records) {
    if (record.kind === "step") {
      const { waitShare, ...rest } = record;
      training.push({ ...rest, dataWaitShare: waitShare, sampling: numbersIn(rest) });
    } else if (record.kind === "evaluation") epochs.push({ ...record });
  }
  return { training, epochs };
}

function words(config: RunConfig, dimension: number): { method: string; encoder: string } {
  const { method, loss, encoder, imageSize } = config;
  const names: Record<string, string> = {
    simclr: "SimCLR",
    moco: "MoCo",
    instDisc: "Instance discrimination",
  };
  const { temperature } = loss as { temperature?: number };
  const at = temperature === undefined ? "" : ` at temperature ${temperature}`;
  const { name, ...options } = encoder as { name: string; width?: number; blocks?: number[] };
  const width = options.width === undefined ? "" : `, width ${options.width}`;
  const blocks = options.blocks === undefined ? "" : `, ${options.blocks.join(" + ")} blocks`;
  return {
    method: `${names[method] ?? method}, ${String(loss.name)}${at}`,
    encoder: `${name}${width}${blocks}, images of ${imageSize} px to ${dimension} features`,
  };
}

function commandOf(folder: RunFolder): string {
  return `contrapose train --config ${folder.config} --out another-run`;
}

/** What was done to pixels, in a line, where anything was. */
function convertedIn({ dataset }: Images) {
  const { conversions = [] } = dataset.header;
  return conversions.length === 0
    ? []
    : [{ name: "converted", value: conversionLine(conversions) }];
}

/** Everything that the report of a run shows. */
export async function gatherReport(
  folder: RunFolder,
  images: Images,
  loaded: LoadedEncoder,
  evaluation: Evaluation | undefined,
): Promise<ReportData> {
  const { about, ...config } = readRunConfig(folder);
  const records = existsSync(folder.metrics)
    ? ((await readJsonLines(folder.metrics, metricsLine)) as RunRecord[])
    : [];
  const last = records.at(-1);
  const { contrapose, node, system, processor, cores, memoryGiB } = about;
  return {
    run: folder.path,
    ...words(config, loaded.description.dimension),
    created: about.started,
    summary: [
      { name: "images", value: about.dataset.images },
      { name: "epochs", value: config.epochs },
      { name: "batch", value: config.batchSize },
      {
        name: "optimiser",
        value: `${config.optimiser.name}, learning rate ${config.learningRate}`,
      },
      { name: "device", value: `${config.device}, ${config.threads} threads` },
      ...convertedIn(images),
    ],
    ...(evaluation === undefined ? {} : { evaluation: evaluationOf(evaluation) }),
    ...pointsOf(records),
    epochBaselines: epochBaselinesOf(records, config),
    views: { rows: await viewRows(images, config) },
    neighbours: { rows: await neighbourRows(images, loaded, config.seed) },
    skipped: images.dataset.header.skipped.filter(({ ignored }) => ignored === undefined),
    command: commandOf(folder),
    seed: config.seed,
    ...(last === undefined
      ? {}
      : { timings: [{ name: "training", seconds: last.elapsedSeconds }] }),
    versions: { contrapose, node },
    machine: { system, processor, cores, memoryGiB },
    config,
  };
}
