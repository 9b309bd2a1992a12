import { splitNames } from "../../data/index.ts";
import {
  type Accuracies,
  evaluate,
  evaluateModel,
  type EvaluateOptions,
  type Evaluation,
  missingStart,
  openImageEncoder,
} from "../../evaluate/index.ts";
import {
  featuresIn,
  type Images,
  type InputFormat,
  loadEncoder,
  onnxAt,
  type LoadedEncoder,
  type Training,
} from "../../inference/index.ts";
import { isRun, runFolder } from "../../train/index.ts";
import { isUneven } from "../../metrics/index.ts";
import { quoted } from "../../core/quote.ts";
import { columns, count, counted, percent } from "../format.ts";
import type { Answer, Call } from "../verb.ts";
import { copiesSentence } from "../common/asked.ts";
import { statedOf } from "../common/encoder.ts";
import { encoderGiven } from "../common/from.ts";
import { cacheFor, noteInput, openWithProgress, progressOf } from "../common/images.ts";
import { type EvaluationSources, keepEvaluation } from "../common/keptEvaluation.ts";
import { howOf, type Place, placesOf, sourcesOf } from "../common/sources.ts";
import { valueReader, type ValueReader } from "../common/values.ts";

type Row = {
  name: string;
  of: Partial<Omit<Evaluation, "knn">> & { knn?: Accuracies["linear"] | undefined };
};

const share = (accuracy: number | undefined) => (accuracy === undefined ? "–" : percent(accuracy));

/** `31.8 to 37.7`, of evaluations that say it. */
const range = ([low, high]: readonly number[] = []) =>
  low === undefined ? "–" : `${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)}`;
const plain = (value: number | undefined, digits: number) =>
  value === undefined ? "–" : value.toFixed(digits);

/** The vote on standardised features, below that on features as they are. */
const standardisedRow = ({ knnStandardised: knn }: Accuracies): Row[] =>
  knn === undefined ? [] : [{ name: "  standardised", of: { knn } }];

/** The table of an evaluation: the encoder in one line, what it must beat below. */
export function evaluationTable(evaluation: Evaluation): string[] {
  const { chance, start, untrained, pixels } = evaluation.baselines;
  const rows: Row[] = [{ name: "this encoder", of: evaluation }, ...standardisedRow(evaluation)];
  if (start !== undefined) {
    rows.push({ name: "start, not adapted", of: start }, ...standardisedRow(start));
  }
  if (untrained !== undefined) rows.push({ name: "untrained", of: untrained });
  if (pixels !== undefined) rows.push({ name: "raw pixels", of: pixels });
  const cells = rows.map(({ name, of }) => [
    name,
    share(of?.knn?.accuracy),
    range(of?.knn?.interval),
    share(of?.knn?.balanced),
    share(of?.linear?.accuracy),
    share(of?.linear?.balanced),
    plain(of !== undefined && "alignment" in of ? of.alignment : undefined, 3),
    plain(of?.uniformity, 2),
    plain(of?.effectiveRank, 1),
  ]);
  const guess =
    chance === null
      ? []
      : [["chance", percent(chance), "", "–", percent(chance), "–", "–", "–", "–"]];
  return columns(
    [
      ["", "k-NN", "95 %", "balanced", "linear", "balanced", "alignment", "uniformity", "rank"],
      ...[...cells, ...guess],
    ],
    "   ",
  );
}

/** What the columns mean. */
export const evaluationLegend = [
  "k-NN       test images whose class their nearest training images vote for",
  "95 %       where k-NN would lie in 95 of 100 draws of so many test images",
  "balanced   mean over the classes of the share of each that is right: a large class counts no more than a small one",
  "standardised: the vote on features scaled to mean 0 and deviation 1 over the training images",
  "linear     test images that a linear classifier on the frozen features gets right",
  "alignment  squared distance of two views of an image: 0 the same, 2 unrelated",
  "uniformity how evenly features fill the sphere: lower is more even, 0 is one point",
  "rank       directions that the features use",
];

const voteName = (withoutCopies: boolean, balanced: boolean): string =>
  withoutCopies ? "k-NN without copies of training images" : balanced ? "balanced k-NN" : "k-NN";

/**
 * Says in one sentence how far the encoder is ahead, what it lost to first: beside its start or of uneven classes by balanced accuracy, else
 * without copies of training images, if any.
 */
function verdict({ knn, baselines, classes }: Evaluation): string | undefined {
  const { pixels, start } = baselines;
  const before = start ?? baselines.untrained;
  if (knn === undefined || before?.knn === undefined || pixels?.knn === undefined) return undefined;
  const hasOwn = start === undefined && typeof knn.withoutCopies === "number";
  const uneven = baselines.chance !== null && isUneven(baselines.chance, classes.length);
  const even = start !== undefined || (uneven && !hasOwn);
  const shareOf = ({ accuracy, balanced, withoutCopies }: NonNullable<Accuracies["linear"]>) =>
    even ? balanced : hasOwn ? (withoutCopies ?? accuracy) : accuracy;
  const own = shareOf(knn);
  const beside = (other: number, name: string) => {
    const points = 100 * (own - other);
    return `${Math.abs(points).toFixed(1)} points ${points >= 0 ? "above" : "below"} ${name}`;
  };
  const [raw, first] = [
    beside(shareOf(pixels.knn), "raw pixels"),
    beside(shareOf(before.knn), start === undefined ? "the untrained encoder" : "its start"),
  ];
  const vote = voteName(hasOwn, even);
  if (start !== undefined && own < shareOf(before.knn)) {
    return `the start, not adapted, does better: ${vote} is ${first}, ${raw}`;
  }
  if (own < shareOf(pixels.knn)) return `raw pixels do better: ${vote} is ${raw}, ${first}`;
  return `${vote} is ${first} and ${raw}`;
}

/** What copies of training images among the test images do to the figures; undefined where there are none. */
function copiesWarning({ images, knn, linear, baselines }: Evaluation): string | undefined {
  const { copies = null, test } = images;
  if (copies === null || copies === 0) return undefined;
  const said = (name: string, one: Accuracies["linear"]) =>
    one?.withoutCopies == null ? [] : [`${name} ${percent(one.withoutCopies)}`];
  const without = [
    ...[...said("k-NN", knn), ...said("linear", linear)],
    ...said("raw pixels by k-NN", baselines.pixels?.knn),
  ];
  const none = copies === test ? "; no other is left" : "";
  const left = without.length === 0 ? none : `; without them ${without.join(", ")}`;
  return `${copiesSentence(copies, test)}${left}`;
}

/** The verdict, and a warning of copies. */
export function outcomeLines(evaluation: Evaluation, { colours }: Call["printer"]): string[] {
  const [sentence, copied] = [verdict(evaluation), copiesWarning(evaluation)];
  const missing = missingStart(evaluation.encoder);
  return [
    ...(sentence === undefined ? [] : [sentence]),
    ...(copied === undefined ? [] : [`${colours.yellow("warning")}    ${copied}`]),
    ...(missing === undefined
      ? []
      : [
          `${colours.yellow("warning")}    ${quoted(missing)} is missing: nothing says how the start, not adapted, does`,
        ]),
  ];
}

function say(evaluation: Evaluation, { printer }: Call): void {
  const { images, classes, knn } = evaluation;
  const voters = knn === undefined ? "" : `, k ${knn.k}, temperature ${knn.temperature}`;
  printer.say(
    `images     ${count(images.train)} training, ${count(images.test)} test (${images.how}), ${counted(classes.length, "class", "classes")}${voters}`,
  );
  printer.say();
  for (const line of evaluationTable(evaluation)) printer.say(line);
  printer.say();
  for (const line of outcomeLines(evaluation, printer)) printer.say(line);
  if (knn === undefined) {
    printer.say("no labels: accuracies need labelled images, given by --train and --test");
  }
  for (const line of evaluationLegend) printer.note(printer.colours.dim(line));
}

/** Options of an evaluation. */
function optionsOf(values: ValueReader, { options, signal }: Call): EvaluateOptions {
  return {
    k: values.number("k", { whole: true, least: 1 }),
    temperature: values.number("temperature", { least: 1e-4, most: 1e4 }),
    features: values.oneOf("features", ["features", "head"]),
    seed: values.number("seed", { whole: true, least: 0 }),
    threads: values.number("threads", { whole: true, least: 1, most: 1024 }),
    device: values.text("device"),
    baselines: options.baselines !== false,
    signal,
  };
}

type Measured = { train: Images; test?: Images | undefined };

/** Opens the images of an evaluation, as an encoder takes them, and measures. */
async function withImages<T>(
  { learned: from, asked: to }: ReturnType<typeof placesOf>,
  encoder: { path: string; format: InputFormat; ranges?: Training["ranges"] },
  call: Call,
  run: (images: Measured) => Promise<T>,
): Promise<T> {
  const { ranges, format } = encoder;
  const { imageSize } = format;
  const cache = cacheFor(call, encoder.path);
  const values = valueReader("evaluate", call.options);
  const own = { groups: values.text("groups"), labels: values.text("labels") ?? from.labels };
  const open = ({ path, split }: Place, more: Partial<typeof own> = {}) =>
    openWithProgress(path, cache, call, { imageSize, split, ranges, ...more });
  const learned = await open(from, own);
  noteInput(learned, format, call);
  const asked = to && (await open(to));
  try {
    return await run({ train: learned, test: asked });
  } finally {
    learned.close();
    asked?.close();
  }
}

/** Measures a loaded encoder on the images given, or on those it was trained on. */
export async function evaluateOn(
  loaded: LoadedEncoder,
  sources: EvaluationSources,
  call: Call,
): Promise<Evaluation> {
  const values = valueReader("evaluate", call.options);
  const options = optionsOf(values, call);
  const { description } = loaded;
  const { training } = description;
  if (sources.train === undefined && training === undefined)
    values.need("train", "the weights do not say which images they were trained on");
  values.check();
  const encoder = { path: loaded.path, format: description, ranges: training?.ranges };
  return withImages(placesOf(sources, training), encoder, call, (images) =>
    evaluate(loaded, images, {
      ...options,
      how: howOf(sources),
      progress: progressOf(call),
      kept: featuresIn(cacheFor(call, loaded.path)),
    }),
  );
}

/** Measures an ONNX model on the images given. */
async function evaluateOnnx(
  path: string,
  sources: EvaluationSources,
  call: Call,
): Promise<Evaluation> {
  const values = valueReader("evaluate", call.options);
  const { features, device, threads, ...options } = optionsOf(values, call);
  const stated = statedOf(values);
  if (sources.train === undefined)
    values.need("train", "an ONNX model does not say what it was trained on");
  values.check();
  const encoder = await openImageEncoder(path, { stated, features, device, threads });
  try {
    const { format } = encoder;
    return await withImages(placesOf(sources, undefined), { path, format }, call, (images) =>
      evaluateModel(encoder, images, {
        ...options,
        how: howOf(sources),
        progress: progressOf(call),
      }),
    );
  } finally {
    await encoder.dispose();
  }
}

/** Measures an encoder; the numbers of a run are kept in its evaluation.json. */
export async function runEvaluate(call: Call): Promise<Answer> {
  const values = valueReader("evaluate", call.options);
  const { path } = await encoderGiven("evaluate", call, values, 0);
  const split = values.oneOf("split", splitNames);
  const stated = statedOf(values);
  values.check();
  const asked = { train: values.text("train"), test: values.text("test"), split };
  const loaded = onnxAt(path) === undefined ? await loadEncoder(path, stated) : undefined;
  const { training } = loaded?.description ?? {};
  const sources = await sourcesOf(path, asked, training, (text) => call.printer.note(text));
  const evaluation = await (loaded === undefined
    ? evaluateOnnx(path, sources, call)
    : evaluateOn(loaded, sources, call));
  const { knn = null, linear = null } = evaluation; // null without labels
  if (isRun(path)) await keepEvaluation(runFolder(path), evaluation, sources, call.printer);
  say(evaluation, call);
  return { run: path, ...evaluation, knn, linear, ...sources };
}
