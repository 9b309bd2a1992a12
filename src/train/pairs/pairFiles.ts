import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { z } from "zod";

import { DataError } from "../../core/errors.ts";
import { quoted } from "../../core/quote.ts";
import {
  type ParquetColumn,
  type ParquetRow,
  readParquetTable,
  writeFolderAtomic,
  writeParquet,
} from "../../files/index.ts";
import type { Box, ViewParameters } from "../../views/index.ts";
import type { AnchorRow, PairRow } from "./pairRows.ts";

/** One view of a recorded batch. */
export type ViewRow = {
  row: number; // v · B + b
  view: number;
  image: number; // of the batch
  source: number; // image that is shown; another one where views of others were slipped in
  parameters: ViewParameters;
  box: Box | null; // of the image that is shown, where crops look at one
};

/** What is recorded of one step. */
export type RecordedStep = { anchors: AnchorRow[]; pairs: PairRow[]; views: ViewRow[] };

const ints = (...names: string[]): ParquetColumn[] =>
  names.map((name) => ({ name, type: "int32" }));
const texts = (...names: string[]): ParquetColumn[] =>
  names.map((name) => ({ name, type: "string" }));
const floats = (...names: string[]): ParquetColumn[] =>
  names.map((name) => ({ name, type: "float32" }));
const maybe = (columns: ParquetColumn[]): ParquetColumn[] =>
  columns.map((column) => ({ ...column, nullable: true }));

const pairColumns: readonly ParquetColumn[] = [
  ...ints("step"),
  ...texts("space"),
  ...ints("anchorRow", "anchor", "term", "column"),
  ...texts("kind"),
  ...maybe(ints("candidate", "candidateRow")),
  ...texts("role"),
  ...floats("positive", "negative", "similarity", "force"),
  ...ints("rank"),
  ...texts("reasons"),
  ...maybe([...ints("first", "second"), ...floats("share")]),
];
const anchorColumns: readonly ParquetColumn[] = [
  ...ints("step", "epoch"),
  ...texts("space"),
  ...ints("anchorRow", "anchor", "view"),
  ...floats("loss"),
  ...texts("terms"),
  ...ints("candidates", "leftOut"),
];
const viewColumns: readonly ParquetColumn[] = [
  ...ints("row", "view", "image", "source"),
  ...texts("parameters", "box"),
];

const nameOf = (step: number) => `step-${String(step).padStart(7, "0")}`;

/** Writes what was recorded of a step under `folder`, whole or not at all. */
export async function writeRecordedStep(
  folder: string,
  step: number,
  { anchors, pairs, views }: RecordedStep,
): Promise<void> {
  await writeFolderAtomic(join(folder, nameOf(step)), async (path) => {
    await writeParquet(join(path, "pairs.parquet"), pairColumns, pairs);
    await writeParquet(join(path, "anchors.parquet"), anchorColumns, anchors);
    const written = views.map((view) => ({
      ...view,
      parameters: JSON.stringify(view.parameters),
      box: JSON.stringify(view.box),
    }));
    await writeParquet(join(path, "views.parquet"), viewColumns, written);
  });
}

/** Steps that are recorded under `folder`, in their order; none where there is no such folder. */
export function recordedSteps(folder: string): number[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .flatMap((name) => /^step-(\d{7,})$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

const pathOf = (folder: string, step: number, name: string) => join(folder, nameOf(step), name);

/** Recorded anchors of one step. */
async function readAnchors(folder: string, step: number): Promise<AnchorRow[]> {
  const path = pathOf(folder, step, "anchors.parquet");
  return (await readParquetTable(path, anchorColumns)) as AnchorRow[];
}

/** All that is recorded of a step. */
export async function readRecordedStep(folder: string, step: number): Promise<RecordedStep> {
  const read = (name: string, columns: readonly ParquetColumn[]): Promise<ParquetRow[]> =>
    readParquetTable(pathOf(folder, step, name), columns);
  const views = await read("views.parquet", viewColumns);
  const where = quoted(pathOf(folder, step, "views.parquet"));
  return {
    anchors: await readAnchors(folder, step),
    pairs: (await read("pairs.parquet", pairColumns)) as PairRow[],
    views: views.map((row, at) => ({ ...row, ...parsed(row, `${where}: row ${at}`) }) as ViewRow),
  };
}

const FAR = 2 ** 24; // pixels: no side of an image is as long
const place = z.number().min(-FAR).max(FAR);
const side = z.number().min(0).max(FAR);
const Rect = z.object({ x: place, y: place, width: side, height: side });
const Parameters = z.object({
  crop: Rect,
  flip: z.boolean(),
  verticalFlip: z.boolean(),
  rotation: z.number().gt(-360).lt(360),
  jitter: z
    .array(
      z.object({
        step: z.enum(["brightness", "contrast", "saturation", "hue"]),
        amount: z.number().min(-1000).max(1000),
      }),
    )
    .max(4),
  grey: z.boolean(),
  blur: z
    .object({ sigma: z.number().min(0).max(1000), radius: z.number().min(0).max(1000) })
    .nullable(),
  solarise: z.number().nullable(),
  cutout: Rect.nullable(),
  source: z.int().min(0).exactOptional(),
});

const BoxForm = z
  .object({ left: z.number(), top: z.number(), right: z.number(), bottom: z.number() })
  .nullable();

/** The parameters and the box of a view from their JSON. */
function parsed(
  { parameters, box }: ParquetRow,
  where: string,
): Pick<ViewRow, "parameters" | "box"> {
  try {
    return {
      parameters: Parameters.parse(JSON.parse(String(parameters))),
      box: BoxForm.parse(JSON.parse(String(box))),
    };
  } catch (cause) {
    throw new DataError(`${where} has parameters or a box that were not written so`, undefined, {
      cause,
    });
  }
}
