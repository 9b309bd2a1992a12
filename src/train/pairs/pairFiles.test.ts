import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, expect, test } from "vitest";

import { DataError } from "../../core/errors.ts";
import { type ParquetColumn, readParquet, writeParquet } from "../../files/index.ts";
import { readRecordedStep, type RecordedStep, writeRecordedStep } from "./pairFiles.ts";

const root = mkdtempSync(join(tmpdir(), "contrapose-pairs-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const parameters = {
  crop: { x: 1, y: 2, width: 30, height: 20.5 },
  flip: true,
  verticalFlip: false,
  rotation: -90,
  grey: false,
  solarise: null,
  cutout: null,
  jitter: [{ step: "hue" as const, amount: -0.25 }],
  blur: { sigma: 0.5, radius: 1 },
};
const recorded: RecordedStep = {
  anchors: [
    {
      step: 3,
      epoch: 0,
      space: "all",
      anchorRow: 0,
      anchor: 5,
      view: 0,
      loss: 1.5,
      terms: "[]",
      candidates: 1,
      leftOut: 0,
    },
  ],
  pairs: [
    {
      step: 3,
      space: "all",
      anchorRow: 0,
      anchor: 5,
      term: 0,
      column: 1,
      kind: "mixture",
      candidate: null,
      candidateRow: null,
      role: "negative",
      positive: 0,
      negative: 1,
      similarity: 0.5,
      force: 0.25,
      rank: 1,
      reasons: "mixed",
      first: 2,
      second: -1,
      share: 0.5,
    },
  ],
  views: [
    {
      row: 0,
      view: 0,
      image: 5,
      source: 5,
      parameters,
      box: { left: 0, top: 0, right: 1, bottom: 1 },
    },
    { row: 1, view: 1, image: 5, source: 4, parameters: { ...parameters, source: 4 }, box: null },
  ],
};

test("a recorded step comes back as it was, and is refused where a file of it is another", async () => {
  await writeRecordedStep(root, 3, recorded);
  expect(await readRecordedStep(root, 3)).toEqual(recorded);
  const path = join(root, "step-0000003", "views.parquet");
  const rows = await readParquet(path);
  const columns: ParquetColumn[] = [
    ...["row", "view", "image", "source"].map((name) => ({ name, type: "int32" as const })),
    ...["parameters", "box"].map((name) => ({ name, type: "string" as const, nullable: true })),
  ];
  const crop = (x: number) => JSON.stringify({ ...parameters, crop: { ...parameters.crop, x } });
  for (const [change, said] of [
    [{ parameters: "null" }, "row 1 has parameters or a box"],
    [{ parameters: crop(1e9) }, "row 1 has parameters or a box"],
    [{ parameters: "{" }, "row 1 has parameters or a box"],
    [{ box: "[1]" }, "row 1 has parameters or a box"],
    [{ box: null }, 'row 1, column "box" is null, expected string'],
  ] as const) {
    await writeParquet(path, columns, [rows[0], { ...rows[1], ...change }]);
    const failed = readRecordedStep(root, 3);
    await expect(failed).rejects.toThrow(DataError);
    await expect(failed).rejects.toThrow(said);
  }
  await writeParquet(path, columns.slice(1), rows);
  await expect(readRecordedStep(root, 3)).rejects.toThrow('has no column "row"');
});
