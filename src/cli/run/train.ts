import { ConfigError } from "../../core/errors.ts";
import { START, weightsPath } from "../../inference/index.ts";
import {
  omit,
  replay,
  resume,
  train,
  type TrainOptions,
  type TrainResult,
  type TrainSettings,
} from "../../train/index.ts";
import { count, counted, duration, intervalOf, leftColumns, percent } from "../format.ts";
import type { Answer, Call } from "../verb.ts";
import { askedImages, barsLine, barsOf } from "../common/asked.ts";
import { readSettings } from "../common/settings.ts";
import { trainSaving } from "../common/trainView.ts";

/** What `train --json` prints. */
function answerOf(result: TrainResult): Answer {
  const { run, epochs, steps, loss, chanceLoss, seconds, finished, config } = result;
  const { evaluation, baselines } = result;
  return {
    run,
    epochs,
    steps,
    loss,
    knn: evaluation?.knnAccuracy ?? null,
    chanceLoss,
    finished,
    seconds: Number(seconds.toFixed(2)),
    evaluation: evaluation ?? null,
    baselines: baselines ?? null,
    weights: weightsPath(run),
    config,
  };
}

/** What was measured last, of which images, with its interval, beside what the encoder has to beat. */
function measured({ evaluation, baselines, config }: TrainResult): string[] {
  if (evaluation === undefined) return [];
  const { knnAccuracy, knnChance, knnK, knnImages, viewAgreement, viewImages } = evaluation;
  const { uniformity, effectiveRank, knnWithoutCopies: own, knnBalanced } = evaluation;
  const bars = barsOf(baselines ?? {}, config);
  const against = barsLine(knnChance === undefined ? bars : [...bars, ["chance", knnChance]]);
  const { knnPixels, knnPixelsWithoutCopies } = baselines ?? {};
  const pixels = own === undefined ? knnPixels : knnPixelsWithoutCopies;
  const lost = (own ?? knnAccuracy ?? 1) < (pixels ?? 0);
  const share = (value: number | undefined) => (value === undefined ? "–" : percent(value));
  const within = (share: number, images = 0) => `${percent(share)}${intervalOf(share, images)}`;
  const vote =
    knnAccuracy === undefined
      ? []
      : [
          `k-NN       ${within(knnAccuracy, knnImages)} of ${askedImages(evaluation)}, k ${knnK}, balanced ${share(knnBalanced)}${own === undefined ? "" : `; ${percent(own)} without copies of training images`}`,
        ];
  const found =
    viewAgreement === undefined
      ? []
      : [
          `views      ${within(viewAgreement, viewImages)} of ${viewImages} images have two views nearest to each other; no labels, no accuracy`,
        ];
  return [
    ...[...vote, ...found],
    ...(against === "" ? [] : [`           ${against}${lost ? ": raw pixels do better" : ""}`]),
    `spread     uniformity ${uniformity.toFixed(2)}, effective rank ${effectiveRank.toFixed(1)}`,
  ];
}

/** How a run that began with a pretrained encoder came out, and what it gives. */
/** Says where labels that were trained with are those asked for. */
function flattered({ evaluation, config }: TrainResult): string[] {
  const own = config.labels !== undefined && evaluation?.knnAsked === "training";
  return own
    ? ["note       these labels were trained with, which flatters k-NN: --test names other images"]
    : [];
}

function ofStart({ run, baselines, evaluation, config }: TrainResult): string[] {
  const [start, now] = [baselines?.balancedStart, evaluation?.knnBalanced];
  if (config.from === undefined) return [];
  if (start === undefined || now === undefined) {
    return ["start      without labels it was not measured whether training helped"];
  }
  return [
    `balanced   ${percent(now)}, start, not adapted ${percent(start)}: mean over the classes of the share of each that is right`,
    ...(weightsPath(run).endsWith(START)
      ? ["start      the run ends behind its start: the start is what it gives"]
      : []),
  ];
}

function sayDone(result: TrainResult, { printer }: Call): void {
  const { run, epochs, steps, loss, chanceLoss, seconds, config } = result;
  const shown = loss === null ? "" : `, loss ${loss.toFixed(3)} (chance ${chanceLoss.toFixed(3)})`;
  printer.say();
  printer.say(
    `done       ${counted(epochs, "epoch")}, ${counted(steps, "step")} in ${duration(seconds)}${shown}`,
  );
  for (const line of measured(result)) printer.say(line);
  for (const line of ofStart(result)) printer.say(line);
  for (const line of flattered(result)) printer.say(line);
  printer.say(`run        ${run}`);
  printer.say(`weights    ${weightsPath(run)}`);
  printer.say();
  printer.say("next");
  const test = config.test === undefined ? "" : ` --test ${config.test}`;
  const rows = [
    [
      `  contrapose evaluate ${run}${test}`,
      `beside ${config.from === undefined ? "an untrained encoder" : "its start"} and raw pixels`,
    ],
    [`  contrapose report ${run}${test}`, "a page with curves, views and neighbours"],
    [`  contrapose inspect ${run}`, "which pairs were contrasted, as a page"],
    [`  contrapose doctor ${run}`, "whether it trained soundly"],
    [`  contrapose embed ${run}`, "a table of embeddings, for search, dedupe and cluster"],
    [`  contrapose export ${run}`, "the encoder as ONNX"],
  ];
  for (const line of leftColumns(rows, "   ")) printer.say(line);
}

function sayStopped({ run, steps, epochs }: TrainResult, { printer }: Call): void {
  printer.say(`saved      after step ${count(steps)}, in epoch ${epochs + 1}`);
  printer.say(`go on      contrapose train --resume ${run}`);
}

async function runReplay(path: string, { printer }: Call): Promise<Answer> {
  const replayed = await replay(path);
  const { step, repeated, figures, largestView, viewsFinite, largestWeight } = replayed;
  printer.say(
    `step ${count(step)} of ${replayed.run}, ${repeated ? "failed again" : "did not fail again"}`,
  );
  for (const [name, value] of Object.entries(figures)) printer.say(`  ${name.padEnd(20)} ${value}`);
  const pixels = viewsFinite ? "all pixels are finite" : "some pixels are not finite";
  printer.say(`  ${pixels}, the largest is ${largestView.toFixed(2)}`);
  printer.say(`  the largest weight is ${largestWeight.value}, in ${largestWeight.name}`);
  return { ...replayed };
}

const text = (value: unknown): string | undefined =>
  typeof value === "string" ? value : undefined;

/** Settings given beside `--resume`, which must be those of the run. */
async function resumed(path: string, call: Call, watched: TrainOptions) {
  const { checkpoint, overwrite } = call.options;
  const options = omit(call.options, "resume", "checkpoint", "overwrite");
  if (overwrite === true) {
    throw new ConfigError("train: --resume and --overwrite exclude each other");
  }
  const anything =
    call.words.length > 0 || Object.keys(options).some((key) => !["json", "quiet"].includes(key));
  const needed = options.data ?? call.words[0] ?? "unchanged";
  const tree = anything
    ? await readSettings({ ...call, words: [], options: { ...options, data: needed } }, "train", {
        preset: false,
      })
    : {};
  if (needed === "unchanged") delete tree.data;
  return resume(path, { from: text(checkpoint), given: tree, ...watched });
}

/** Trains, or goes on, or repeats a failed step. */
export async function runTrain(call: Call): Promise<Answer> {
  const { options } = call;
  const again = text(options.replay);
  if (again !== undefined) return runReplay(again, call);
  const path = text(options.resume);
  if (path === undefined && options.checkpoint !== undefined) {
    throw new ConfigError(
      "train: --checkpoint belongs to --resume",
      "as in --resume runs/a --checkpoint best; --from begins with a pretrained encoder",
    );
  }
  const overwrite = options.overwrite === true;
  const { leader } = call;
  const result = await trainSaving(call, async (watched) =>
    path === undefined
      ? train((await readSettings(call, "train")) as TrainSettings, {
          overwrite,
          leader,
          ...watched,
        })
      : resumed(path, call, { ...watched, leader }),
  );
  if (result.finished) sayDone(result, call);
  else sayStopped(result, call);
  return answerOf(result);
}
