import type { Evaluation } from "../../evaluate/index.ts";
import { writeFileAtomic } from "../../files/index.ts";
import { loadEncoder } from "../../inference/index.ts";
import { renderReport } from "../../report/index.ts";
import { existingRun, type RunFolder } from "../../train/index.ts";
import type { Answer, Call } from "../verb.ts";
import { evaluateOn } from "./evaluate.ts";
import { gatherReport } from "../common/gatherReport.ts";
import { cacheFor, openWithProgress } from "../common/images.ts";
import {
  type EvaluationSources,
  isReportable,
  keepEvaluation,
  keepFile,
  keptEvaluation,
} from "../common/keptEvaluation.ts";
import { runPagePath } from "../common/resultPage.ts";
import { placesOf, sourcesOf } from "../common/sources.ts";
import { valueReader } from "../common/values.ts";

/**
 * Writes the report of a run. The encoder is measured where no measurement of it is kept; one of other
 * weights still tells on which images. Returns the file's path.
 */
export async function writeReport(
  folder: RunFolder,
  sources: EvaluationSources & { out?: string | undefined; again?: boolean },
  call: Call,
): Promise<{ path: string; evaluation: Evaluation | undefined }> {
  const loaded = await loadEncoder(folder.path);
  const { imageSize, training } = loaded.description;
  const { out, again = false, ...asked } = sources;
  const given = again || asked.train !== undefined || asked.test !== undefined;
  const earlier = given ? undefined : keptEvaluation(folder);
  const { train, test, split } =
    earlier ?? (await sourcesOf(folder.path, asked, training, (text) => call.printer.note(text)));
  const kept = earlier && (await isReportable(earlier, loaded)) ? earlier : undefined;
  const evaluation = kept ?? (await evaluateOn(loaded, { train, test, split }, call));
  if (kept === undefined) {
    await keepEvaluation(folder, evaluation, { train, test, split }, call.printer);
  }
  const { learned, asked: tested } = placesOf({ train, test, split }, training);
  const cache = cacheFor(call, folder.path);
  const { ranges } = training ?? {};
  const { path: place, split: part, labels } = tested ?? learned;
  const images = await openWithProgress(place, cache, call, {
    imageSize,
    ranges,
    split: part,
    labels,
  });
  try {
    const data = await gatherReport(folder, images, loaded, evaluation);
    const path = out ?? folder.report;
    await writeFileAtomic(path, renderReport(data));
    await keepFile(folder.reportData, JSON.stringify(data), call.printer);
    return { path, evaluation };
  } finally {
    images.close();
  }
}

/** Writes the report of a run. */
export async function runReport(call: Call): Promise<Answer> {
  const values = valueReader("report", call.options);
  const folder = existingRun(call.words[0]);
  const out = runPagePath("report", folder.report, call);
  const sources = { train: values.text("train"), test: values.text("test"), out };
  const again = call.options.again === true;
  const { path, evaluation } = await writeReport(folder, { ...sources, again }, call);
  call.printer.say(`report     ${path}, a page that needs nothing else`);
  return { run: folder.path, report: path, evaluation };
}
