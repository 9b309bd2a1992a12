import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { encoderHash, type Evaluation } from "../../evaluate/index.ts";
import type { LoadedEncoder } from "../../inference/index.ts";
import { runFolder } from "../../train/index.ts";
import { createPrinter } from "../printer.ts";
import { isReportable, keepEvaluation, keptEvaluation } from "./keptEvaluation.ts";

let path = "";
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), "contrapose-kept-"));
});
afterEach(() => rmSync(path, { recursive: true }));

const evaluation = {
  encoder: "weights",
  encoderHash: "hash",
  features: "features",
  classes: [],
  images: { train: 1, test: 1, how: "", copies: null },
  alignment: 0,
  uniformity: -1,
  effectiveRank: 2,
  dimension: 8,
  baselines: { chance: null },
} as Evaluation;
const printer = createPrinter({ json: false, quiet: true, environment: {} });

test("an evaluation comes back as it was, with its images in full", async () => {
  await keepEvaluation(runFolder(path), evaluation, { test: "held" }, printer);
  expect(keptEvaluation(runFolder(path))).toEqual({
    run: path,
    ...evaluation,
    test: resolve("held"),
  });
});

test("one that cannot be read is none", () => {
  const folder = runFolder(path);
  expect(keptEvaluation(folder)).toBeUndefined();
  for (const text of ['{"knn": ', "null", "7"]) {
    writeFileSync(folder.evaluation, text);
    expect(keptEvaluation(folder)).toBeUndefined();
  }
});

test("where it cannot be kept, that is said and the work goes on", async () => {
  const folder = runFolder(path);
  mkdirSync(folder.evaluation);
  const note = vi.fn();
  await keepEvaluation(folder, evaluation, {}, { ...printer, note });
  expect(note.mock.calls.join()).toMatch(/^not kept .*evaluation\.json/);
});

test("a report shows what was measured of these weights, before the head and beside baselines", async () => {
  const loaded = (value: number) =>
    ({
      description: { encoder: { name: "any" }, imageSize: 8, mean: [0, 0, 0], std: [1, 1, 1] },
      variables: {
        parameters: { w: { dtype: "float32", shape: [1], data: Float32Array.of(value) } },
        statistics: {},
      },
    }) as unknown as LoadedEncoder;
  const measured = {
    ...evaluation,
    encoderHash: await encoderHash(loaded(1), "features"),
    baselines: { chance: null, untrained: { alignment: 1 } },
  } as Evaluation;
  expect(await isReportable(measured, loaded(1))).toBe(true);
  expect(await isReportable(measured, loaded(2))).toBe(false);
  const alone = { ...measured, baselines: { chance: null } };
  expect(await isReportable(alone, loaded(1))).toBe(false);
});
