import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";

import { z } from "zod";

import { ContraposeError, DataError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";
import { parseJson } from "../core/json.ts";
import type { ViewBatch } from "../views/index.ts";
import { notFinite } from "./loop.ts";
import type { RunFolder } from "./run/runFolder.ts";

/** What is kept of a step that gave something that is no finite number. */
export type Failure = {
  readonly run: string;
  readonly checkpoint: string; // with the state before the step
  readonly step: number;
  readonly epoch: number;
  readonly learningRate: number;
  readonly notFinite: readonly string[];
  readonly figures: Readonly<Record<string, string>>; // NaN and Infinity are no JSON
  readonly images: readonly { readonly index: number; readonly id: string }[];
  readonly replay: string;
};

const written = z.looseObject({
  run: z.string(),
  checkpoint: z.string(),
  notFinite: z.array(z.string()),
  step: z.int().min(0),
  epoch: z.int().min(0),
  learningRate: z.number(),
});

/** Reads the failure.json of a run. Throws `DataError` where it is damaged or of something else. */
export function readFailure(path: string): Failure {
  const fail = (options?: ErrorOptions) =>
    new DataError(
      `${quoted(path)} is not the failure.json of a run`,
      "training writes it where it stops at a number that is not finite",
      options,
    );
  let value: unknown;
  try {
    value = parseJson(readFileSync(path, "utf8"));
  } catch (cause) {
    throw fail({ cause });
  }
  if (!written.safeParse(value).success) throw fail();
  return value as Failure;
}

/** Training that stopped by itself because going on makes no sense. */
export class TrainingStopped extends ContraposeError {
  override name = "TrainingStopped";
}

/** Describes a failed step. */
export function describeFailure(
  run: Pick<RunFolder, "path" | "beforeFailure" | "failure">,
  at: { step: number; learningRate: number },
  batch: ViewBatch,
  figures: Record<string, number>,
  idOf: (index: number) => string,
): Failure {
  return {
    run: resolve(run.path),
    checkpoint: resolve(run.beforeFailure),
    step: at.step,
    epoch: batch.epoch,
    learningRate: at.learningRate,
    notFinite: notFinite(figures),
    figures: Object.fromEntries(
      Object.entries(figures).map(([name, value]) => [name, String(value)]),
    ),
    images: Array.from(batch.ids, (index) => ({ index, id: idOf(index) })),
    replay: `contrapose train --replay ${JSON.stringify(resolve(run.failure))}`,
  };
}

/** Writes the failure down and makes the error that ends training. */
export function stopAt(failure: Failure, path: string): TrainingStopped {
  writeFileSync(path, `${JSON.stringify(failure, null, 2)}\n`);
  const names = failure.notFinite.map((name) => `${name} is ${failure.figures[name]}`).join(", ");
  const shown = failure.images.slice(0, 3).map(({ id }) => id);
  const more = failure.images.length - shown.length;
  return new TrainingStopped(
    `training stopped at step ${failure.step} of epoch ${failure.epoch + 1}: ${names}; its images are ${shown.join(", ")}${more > 0 ? ` and ${more} more` : ""}, all in ${path}`,
    `look at that step again with ${failure.replay}; often the learning rate (${failure.learningRate.toPrecision(3)} there) is too high`,
  );
}
