import { join } from "node:path";

import { ConfigError } from "../../core/errors.ts";
import { mistakes } from "../../core/options.ts";
import { harmless } from "../../core/quote.ts";
import {
  conversionLine,
  detectSource,
  packDataset,
  PackOptions,
  type PackReport,
  splitNames,
} from "../../data/index.ts";
import { datasetName } from "../../inference/index.ts";
import { valueOf } from "../../train/index.ts";
import { count, counted, duration } from "../format.ts";
import { mistakesError } from "../arguments.ts";
import type { Answer, Call } from "../verb.ts";
import { valueReader, type ValueReader } from "../common/values.ts";

const SHOWN = 20;

/** The values that deep pixels are shown by, as `--range` gives them. */
function rangesOf(values: ValueReader): { ranges?: [{ low: number; high: number }] } {
  const range = values.numbers("range");
  if (range === undefined) return {};
  const [low, high] = range;
  if (range.length === 2 && low < high) return { ranges: [{ low, high }] };
  throw new ConfigError(
    `--range: expected the values shown as black and as white, the lower one first (is ${range.join(",")})`,
    "as in --range 0,4095",
  );
}

function optionsOf({ options }: Call): Record<string, unknown> {
  const { size, damaged, strict, overwrite } = options;
  const more = ((options.set as string[] | undefined) ?? []).map((word) => {
    const [key, ...value] = word.split("=");
    return [key, valueOf(value.join("="))];
  });
  return {
    ...(typeof size === "string" ? { size: valueOf(size) } : {}),
    ...(typeof damaged === "string" ? { damaged } : {}),
    ...(strict === true ? { strict } : {}),
    ...(overwrite === true ? { overwrite } : {}),
    ...(Object.fromEntries(more) as Record<string, unknown>),
  };
}

function say(report: PackReport, { printer }: Call): void {
  const { images, packed, kept, skipped, classes, labelled, groups, bytes, folder, notes } = report;
  const { conversions } = report;
  const bad = skipped.filter(({ ignored }) => ignored === undefined);
  if (bad.length > 0) printer.say("skipped");
  for (const { path, reason } of bad.slice(0, SHOWN))
    printer.say(`  ${harmless(path)}: ${harmless(reason)}`);
  if (bad.length > SHOWN) printer.say(`  and ${count(bad.length - SHOWN)} more; --json lists all`);
  printer.say(
    `packed     ${counted(images, "image")} (${count(packed)} decoded, ${count(kept)} unchanged, ${count(bad.length)} skipped) in ${duration(report.seconds)}`,
  );
  const named =
    classes.length === 0
      ? "none"
      : `${counted(labelled, "image")} in ${counted(classes.length, "class", "classes")}`;
  printer.say(`labels     ${named}`);
  const several = groups.groups - (images - groups.grouped); // the others are of one image each
  const within =
    several === 0
      ? "none"
      : `${counted(groups.grouped, "image")} in ${counted(several, "group")} of images of one thing`;
  printer.say(`groups     ${within}`);
  printer.say(`size       ${(bytes / 2 ** 20).toFixed(1)} MiB in ${folder}`);
  for (const note of notes) printer.say(`note       ${note}`);
  if (conversions.length > 0) printer.say(`converted  ${conversionLine(conversions)}`);
}

/** Packs images and reports. */
export async function runPack(call: Call): Promise<Answer> {
  const { words, printer, signal } = call;
  const values = valueReader("pack", call.options);
  const data = words[0] ?? values.text("data");
  if (data === undefined) {
    throw new ConfigError(
      "pack: where the images are is missing",
      "as in contrapose pack ./photos",
    );
  }
  const split = values.oneOf("split", splitNames) ?? "auto";
  const level = values.text("labels") ?? "auto";
  const labels = /^\d+$/.test(level) ? Number(level) : values.oneOf("labels", ["auto", "none"]);
  values.check();
  const options = { ...optionsOf(call), ...rangesOf(values) };
  const wrong = mistakes(PackOptions, options);
  if (wrong.length > 0)
    throw mistakesError("pack", wrong, "contrapose pack --help lists all options");
  const out = values.text("out") ?? join("packed", datasetName(data));
  const source = await detectSource(data, { split, labels: labels ?? "auto" });
  const report = await packDataset(source, out, options, {
    signal,
    note: (text) => printer.note(`note       ${text}`),
    onProgress: ({ done, total }) => {
      const of = total === undefined ? "" : ` of ${count(total)}`;
      printer.redraw(`packing ${count(done)}${of} images`);
    },
  });
  say(report, call);
  return { ...report };
}
