import { samplerNamed } from "../../frameworks/index.ts";
import type {
  AutomaticChoice,
  BaselineRecord,
  EvaluationRecord,
  RunConfig,
  StepRecord,
  TrainEvent,
  TrainListener,
} from "../../train/index.ts";
import { count, counted, duration, figure, leftColumns, percent } from "../format.ts";
import type { Printer } from "../printer.ts";
import type { Call } from "../verb.ts";
import { barsOf, copiesSentence } from "./asked.ts";

const LONG_STEP = 2; // seconds that a signal would have to wait
const MAX_SILENCE_MS = 30_000; // piped: a line at least so often
const REDRAW_MS = 100;

type Column = {
  title: string;
  unlabelled?: string; // title where there are no labels
  width: number;
  cell(record: StepRecord, more: More): string;
};
type More = {
  config: RunConfig;
  stepsPerEpoch: number;
  stepInEpoch: number | undefined;
  evaluation: EvaluationRecord | undefined;
  secondsLeft: number;
};

const signed = (value: number | undefined) => (value === undefined ? "" : value.toFixed(2));

const figures: readonly Column[] = [
  { title: "loss", width: 7, cell: ({ loss }) => loss.toFixed(3) },
  { title: "chance", width: 7, cell: ({ chanceLoss }) => chanceLoss.toFixed(3) },
  { title: "pos", width: 6, cell: ({ positiveSimilarity }) => signed(positiveSimilarity) },
  { title: "neg", width: 6, cell: ({ negativeSimilarity }) => signed(negativeSimilarity) },
  {
    title: "k-NN",
    unlabelled: "views",
    width: 7,
    cell: (_, { evaluation }) => measured(evaluation),
  },
  { title: "images/s", width: 9, cell: ({ imagesPerSecond }) => figure(imagesPerSecond) },
  { title: "waiting", width: 8, cell: ({ waitShare }) => percent(waitShare) },
  { title: "left", width: 9, cell: (_, { secondsLeft }) => duration(secondsLeft) },
];

function measured(evaluation: EvaluationRecord | undefined): string {
  const share = evaluation?.knnAccuracy ?? evaluation?.viewAgreement;
  return share === undefined ? "" : percent(share);
}

function place(record: StepRecord, { config, stepsPerEpoch, stepInEpoch }: More): string {
  const digits = String(config.epochs).length;
  const epoch = `${String(record.epoch + 1).padStart(digits)}/${config.epochs}`;
  if (stepInEpoch === undefined) return epoch;
  return `${epoch} ${String(Math.floor((100 * stepInEpoch) / stepsPerEpoch)).padStart(2)} %`;
}

const row = (first: string, width: number, cells: string[]) =>
  first.padEnd(width) + cells.map((cell, i) => cell.padStart(figures[i].width)).join(" ");

/** What is measured between epochs. */
function measureMeaning({ config, labelled }: Started): string {
  if (!labelled)
    return "views    images whose two views are nearest to each other: no labels, no accuracy";
  if (config.test === undefined)
    return "k-NN     training images that the nearest others label rightly (leave-one-out)";
  return "k-NN     test images, held out, that the nearest training images label rightly";
}

/** The columns of progress and what they mean, once, above the table. */
const legend = (started: Started) => [
  "loss     mean over the epoch, in nats; chance is the loss of embeddings that know nothing",
  "pos neg  cosine similarity of two views of an image, and of different images",
  measureMeaning(started),
  "waiting  share of the time that the step waited for views",
];

function choiceLines(choices: readonly AutomaticChoice[]): string[] {
  return leftColumns(
    choices.map(({ path, value, reason }) => [`  ${path}`, String(value), reason]),
    "   ",
  );
}

/** What to say where positives are to come of groups that nobody gave. */
function noGroups({ samplers, groups }: RunConfig): string[] {
  const wanting = samplers.flatMap(({ name }) => samplerNamed(name) ?? []);
  const asking = wanting.find((one) => one.usesGroups && one.findsPositives);
  if (groups !== undefined || asking === undefined) return [];
  return [
    `note       ${asking.name} without --groups: only images of a group that packing found, or that came with the images, are positives`,
  ];
}

function startLines(event: TrainEvent & { kind: "start" }): string[] {
  const { config, run, images, stepsPerEpoch, parameters, frozen, firstStep } = event;
  const all = frozen === 0 ? "" : ` of ${count(parameters + frozen)}`;
  const from = firstStep > 0 ? `, from step ${count(firstStep)}` : "";
  return [
    `run        ${run}`,
    `images     ${count(images)}, ${counted(stepsPerEpoch, "step")} of ${config.batchSize} an epoch, ${counted(config.epochs, "epoch")}${from}`,
    `encoder    ${String(config.encoder.name)}, ${count(parameters)}${all} parameters, ${config.method}, on ${config.device} with ${counted(config.threads, "thread")}`,
    ...noGroups(config),
    ...(config.own ?? []).map((part) => `own        ${part}: give it again to go on with the run`),
  ];
}

type Started = Extract<TrainEvent, { kind: "start" }>;

/** A line of the table. */
function tableLine(
  { config, stepsPerEpoch }: Started,
  record: StepRecord,
  more: Pick<More, "secondsLeft" | "evaluation"> & { stepInEpoch?: number },
): string {
  const all: More = { config, stepsPerEpoch, stepInEpoch: undefined, ...more };
  const cells = figures.map((column) => column.cell(record, all));
  return row(place(record, all), firstWidth(config), cells);
}

const firstWidth = ({ epochs }: RunConfig) => Math.max(11, 2 * String(epochs).length + 7);

/** What the encoder has to beat, a line of the table each, and a warning of copies among the test images. */
function baselineLines(record: BaselineRecord, config: RunConfig): string[] {
  const { copies = 0, knnImages = 0 } = record;
  const bars = barsOf(record, config).map(([name, share]) => {
    const cells = figures.map(({ title }) => (title === "k-NN" ? percent(share) : ""));
    return (name + row("", firstWidth(config), cells).slice(name.length)).trimEnd(); // the cells before are empty
  });
  return [...(copies > 0 ? [`warning    ${copiesSentence(copies, knnImages)}`] : []), ...bars];
}

const preparing = ["packing", "fetching", "keeping", "compiling", "timing"] as const;
type Preparing = Extract<TrainEvent, { kind: (typeof preparing)[number] }>;

const isPreparing = (event: TrainEvent): event is Preparing =>
  preparing.some((kind) => kind === event.kind);

/** What is done before the first step, in a line. */
function preparingText(event: Preparing): string {
  const of = (total: number | undefined) => (total === undefined ? "" : ` of ${count(total)}`);
  const megabytes = (bytes: number) => Math.ceil(bytes / 1e6);
  if (event.kind === "compiling") return `compiling ${event.what}`;
  if (event.kind === "timing") {
    const place = `${event.done + 1} of ${event.total} ${event.what}`;
    return `timing     ways to compute on this machine, remembered from now on: ${place}`;
  }
  if (event.kind === "packing") return `packing ${count(event.done)}${of(event.total)} images`;
  if (event.kind === "keeping") {
    const share = percent(event.done / event.total);
    return `features of ${count(event.done)} of ${counted(event.total, event.what)}, ${share}`;
  }
  const total = event.total === undefined ? undefined : megabytes(event.total);
  return `fetching ${event.file}: ${count(megabytes(event.done))}${of(total)} MB`;
}

/** Shows training on a terminal as a table with one live line, elsewhere as plain lines now and then. */
export function trainView(printer: Printer): TrainListener {
  const { dim } = printer.colours;
  let started: Started | undefined;
  let evaluation: EvaluationRecord | undefined; // the last one
  const now = () => performance.now();
  let [drawnAt, printedAt] = [0, now()];
  const start = (event: Started) => {
    started = event;
    const lines = [...startLines(event), "", ...legend(event).map(dim), ""];
    for (const text of lines) printer.note(text);
    printer.note(
      row(
        "epoch",
        firstWidth(event.config),
        figures.map(({ title, unlabelled = title }) => (event.labelled ? title : unlabelled)),
      ),
    );
  };
  const baselines = ({ record }: Extract<TrainEvent, { kind: "baselines" }>) => {
    for (const text of baselineLines(record, started!.config)) printer.note(text);
  };
  const step = ({ record, secondsLeft, stepInEpoch }: Extract<TrainEvent, { kind: "step" }>) => {
    if (printer.live && now() - drawnAt > REDRAW_MS) {
      drawnAt = now();
      printer.redraw(dim(tableLine(started!, record, { secondsLeft, evaluation, stepInEpoch })));
    } else if (!printer.live && now() - printedAt > MAX_SILENCE_MS) {
      printedAt = now();
      printer.note(tableLine(started!, record, { secondsLeft, evaluation, stepInEpoch }));
    }
  };
  const epoch = (event: Extract<TrainEvent, { kind: "epoch" }>) => {
    const { epochs } = started!.config;
    evaluation = event.evaluation ?? evaluation;
    const isLast = event.record.epoch + 1 === epochs;
    const due = epochs <= 30 || event.evaluation !== undefined || isLast;
    if (!due && now() - printedAt < MAX_SILENCE_MS) return;
    printedAt = now();
    printer.note(tableLine(started!, event.record, event)); // without an older measurement
  };
  return (event) => {
    if (event.kind === "plan") started = { ...started!, config: event.config };
    if (event.kind === "note" || event.kind === "plan") printer.note(event.text);
    else if (isPreparing(event)) {
      const text = preparingText(event);
      const due = event.kind === "timing" && event.done === 0;
      if (printer.live) printer.redraw(dim(text));
      else if (due || now() - printedAt > MAX_SILENCE_MS) {
        printedAt = now();
        printer.note(text);
      }
    } else if (event.kind === "choices" && event.choices.length > 0) {
      printer.note("chosen for you");
      for (const text of choiceLines(event.choices)) printer.note(dim(text));
    } else if (event.kind === "start") start(event);
    else if (event.kind === "baselines") baselines(event);
    else if (event.kind === "step") step(event);
    else if (event.kind === "epoch") epoch(event);
  };
}

/**
 * Trains under the eyes of the terminal. An interrupted training saves itself first, unless its steps take too
 * long to wait for.
 */
export async function trainSaving<T>(
  { printer, signal, saves }: Pick<Call, "printer" | "signal" | "saves">,
  run: (watched: { signal: AbortSignal; listener: TrainListener }) => Promise<T>,
): Promise<T> {
  const view = trainView(printer);
  let batchSize = 0;
  const listener: TrainListener = (event) => {
    if (event.kind === "start") batchSize = event.config.batchSize;
    if (event.kind === "compiling") saves(false);
    if (event.kind === "step") saves(batchSize < LONG_STEP * event.record.imagesPerSecond);
    view(event);
  };
  try {
    return await run({ signal, listener });
  } finally {
    saves(false);
  }
}
