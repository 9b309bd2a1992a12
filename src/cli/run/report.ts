import { join } from "node:path";

import type { Evaluation } from "../../evaluate/index.ts";
import { writeFileAtomic } from "../../files/index.ts";
import { loadEncoder } from "../../inference/index.ts";
import { renderReport } from "../../report/index.ts";
import { existingRun, type RunFolder } from "../../train/index.ts";
import type { Answer, Call } from "../verb.ts";
import { type EvaluationSources, evaluateOn } from "./evaluate.ts";
import { gatherReport, keptEvaluation } from "./gatherReport.ts";
import { cacheFor, openWithProgress } from "./images.ts";
import { valueReader } from "./values.ts";

/** Writes the report of a run, measuring the encoder where no measurement is kept. Returns the file's path. */
export async function writeReport(
  folder: RunFolder,
  sources: EvaluationSources & { out?: string | undefined; again?: boolean },
  call: Call,
): Promise<{ path: string; evaluation: Evaluation | undefined }> {
  const loaded = await loadEncoder(folder.path);
  const { train, test, out, again = false } = sources;
  const kept =
    again || train !== undefined || test !== undefined ? undefined : keptEvaluation(folder);
  const evaluation = kept ?? (await evaluateOn(loaded, { train, test }, call));
  if (kept === undefined) {
    const text = JSON.stringify({ run: folder.path, ...evaluation, train, test }, null, 2);
    await writeFileAtomic(join(folder.path, "evaluation.json"), `${text}\n`);
  }
  const keptTest = (kept as { test?: string } | undefined)?.test;
  const shown = test ?? keptTest ?? train ?? loaded.description.training!.data;
  const cache = cacheFor(call, folder.path);
  const images = await openWithProgress(shown, cache, call, loaded.description.imageSize);
  try {
    const data = await gatherReport(folder, images, loaded, evaluation);
    const path = out ?? folder.report;
    await writeFileAtomic(path, renderReport(data));
    await writeFileAtomic(join(folder.path, "report.json"), `${JSON.stringify(data)}\n`);
    return { path, evaluation };
  } finally {
    images.close();
  }
}

/** Writes the report of a run. */
export async function runReport(call: Call): Promise<Answer> {
  const values = valueReader("report", call.options);
  const folder = existingRun(call.words[0]);
  const sources = {
    train: values.text("train"),
    test: values.text("test"),
    out: values.text("out"),
  };
  const again = call.options.again === true;
  const { path, evaluation } = await writeReport(folder, { ...sources, again }, call);
  call.printer.say(`report     ${path}, a page that needs nothing else`);
  return { run: folder.path, report: path, evaluation };
}
