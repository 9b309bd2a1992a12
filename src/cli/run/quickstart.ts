import { existsSync } from "node:fs";
import { join } from "node:path";

import { ConfigError } from "../../core/errors.ts";
import { quoted } from "../../core/quote.ts";
import { renderSamples } from "../../data/index.ts";
import { type ConfigTree, runFolder, train } from "../../train/index.ts";
import { count, duration, leftColumns } from "../format.ts";
import type { Answer, Call } from "../verb.ts";
import { evaluationLegend, evaluationTable, outcomeLines } from "./evaluate.ts";
import { writeReport } from "./report.ts";
import { trainSaving } from "../common/trainView.ts";
import { valueReader } from "../common/values.ts";

const TRAIN = 4000;
const TEST = 1000;
const SIDE = 40; // pixels; views are 32

/** Plainer grounds and textures than the defaults: four minutes are to be enough for the shapes. */
export const drawing = {
  clutter: 0.15,
  textureStrength: 0.2,
  grain: 0.1,
  lighting: 0.3,
  sizeRange: [0.45, 0.85] as [number, number],
  rotationRange: [-40, 40] as [number, number],
};

/**
 * What is set beside the defaults: the sample images differ in shape whatever their colour and place, so
 * views change colours, places and angles a lot.
 */
export const recipe: ConfigTree = {
  encoder: { name: "resnet", width: 16, blocks: [1, 1, 1] },
  batchSize: 128,
  optimiser: { name: "adamw", weightDecay: 0.01 },
  learningRate: 0.0015,
  views: {
    preset: "small",
    crop: { scale: [0.4, 1] },
    jitter: { probability: 0.9, brightness: 0.5, contrast: 0.5, saturation: 0.8, hue: 0.5 },
    grey: 0.4,
  },
};

/** A folder for a run that is not there yet: `run`, `run-2`, … */
function freshRun(parent: string): string {
  for (let i = 1; ; i++) {
    const path = join(parent, i === 1 ? "run" : `run-${i}`);
    if (!existsSync(path)) return path;
  }
}

async function drawImages(folder: string, seed: number, { printer, signal }: Call) {
  printer.note(
    `1 of 4     drawing ${count(TRAIN)} training and ${count(TEST)} test images in ${folder}`,
  );
  const options = { ...drawing, train: TRAIN, test: TEST, size: SIDE, seed };
  return renderSamples(folder, options, {
    resume: true,
    signal,
    onProgress: (done, total) => printer.redraw(`drawing ${count(done)} of ${count(total)} images`),
  });
}

/** Draws sample images, trains on them without labels, measures on held-out ones, writes the report. */
export async function runQuickstart(call: Call): Promise<Answer> {
  const { printer } = call;
  const values = valueReader("quickstart", call.options);
  const minutes = values.number("minutes", { above: 0, most: 600 }) ?? 2;
  const seed = values.number("seed", { whole: true, least: 0 }) ?? 0;
  values.check();
  const out = values.text("out") ?? "contrapose-quickstart";
  if (existsSync(out) && !existsSync(join(out, "images"))) {
    throw new ConfigError(
      `quickstart: ${quoted(out)} exists and is not of an earlier quickstart`,
      "choose another place with --out",
    );
  }
  const started = performance.now();
  const images = join(out, "images");
  await drawImages(images, seed, call);
  const [data, test, run] = [join(images, "train"), join(images, "test"), freshRun(out)];
  printer.note(
    `2 of 4     training without labels for about ${duration(60 * minutes)}, one epoch at least`,
  );
  printer.note();
  const tree = { ...recipe, data, test, out: run, minutes, seed };
  const result = await trainSaving(call, (watched) => train(tree, watched));
  if (!result.finished) {
    printer.say(`saved      ${run}; contrapose train --resume ${run} goes on`);
    return { run, finished: false };
  }
  printer.note();
  printer.note("3 of 4     measuring on the test images, which training never saw");
  printer.note("4 of 4     writing the report");
  const { path, evaluation } = await writeReport(
    runFolder(run),
    { train: data, test },
    {
      ...call,
      words: [run],
      options: {},
    },
  );
  const seconds = (performance.now() - started) / 1000;
  printer.say();
  for (const line of evaluationTable(evaluation!)) printer.say(line);
  printer.say();
  for (const line of outcomeLines(evaluation!, printer)) printer.say(line);
  printer.say(`done in ${duration(seconds)}`);
  for (const line of evaluationLegend) printer.note(printer.colours.dim(line));
  printer.say();
  printer.say(`report     ${path}`);
  printer.say(`weights    ${run}/checkpoints/last/weights.safetensors`);
  printer.say();
  printer.say("next");
  const rows = [
    ["  contrapose train ./photos", "an encoder for your own images"],
    [`  contrapose embed ${run} --data ./photos`, "embeddings as a table"],
    [`  contrapose inspect ${run}`, "which pairs were contrasted, as a page"],
    [`  contrapose export ${run}`, "the encoder as ONNX"],
  ];
  for (const line of leftColumns(rows, "   ")) printer.say(line);
  return { run, report: path, seconds: Number(seconds.toFixed(1)), finished: true, evaluation };
}
