import { join } from "node:path";

import { ConfigError } from "../../core/errors.ts";
import { mistakes } from "../../core/options.ts";
import { detectSource, packDataset, PackOptions, type PackReport } from "../../data/index.ts";
import { datasetName } from "../../inference/index.ts";
import { valueOf } from "../../train/index.ts";
import { count, counted, duration } from "../format.ts";
import { mistakesError } from "../misuse.ts";
import type { Answer, Call } from "../verb.ts";
import { valueReader } from "./values.ts";

const SHOWN = 20;

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
  const bad = skipped.filter(({ ignored }) => ignored === undefined);
  if (bad.length > 0) printer.say("skipped");
  for (const { path, reason } of bad.slice(0, SHOWN)) printer.say(`  ${path}: ${reason}`);
  if (bad.length > SHOWN) printer.say(`  and ${count(bad.length - SHOWN)} more; --json lists all`);
  printer.say(
    `packed     ${counted(images, "image")} (${count(packed)} decoded, ${count(kept)} unchanged, ${count(bad.length)} skipped) in ${duration(report.seconds)}`,
  );
  const named =
    classes.length === 0
      ? "none"
      : `${count(labelled)} images in ${counted(classes.length, "class").replace("classs", "classes")}`;
  printer.say(`labels     ${named}`);
  printer.say(`groups     ${counted(groups.groups, "group")} of images of one thing`);
  printer.say(`size       ${(bytes / 2 ** 20).toFixed(1)} MiB in ${folder}`);
  for (const note of notes) printer.say(`note       ${note}`);
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
  const split = values.oneOf("split", ["auto", "train", "test", "all"]) ?? "auto";
  const level = values.text("labels") ?? "auto";
  const labels = /^\d+$/.test(level) ? Number(level) : values.oneOf("labels", ["auto", "none"]);
  values.check();
  const options = optionsOf(call);
  const wrong = mistakes(PackOptions, options);
  if (wrong.length > 0)
    throw mistakesError("pack", wrong, "contrapose pack --help lists all options");
  const out = values.text("out") ?? join("packed", datasetName(data));
  const source = await detectSource(data, { split, labels: labels ?? "auto" });
  const report = await packDataset(source, out, options, {
    signal,
    onProgress: ({ done, total }) => {
      const of = total === undefined ? "" : ` of ${count(total)}`;
      printer.redraw(`packing ${count(done)}${of} images`);
    },
  });
  say(report, call);
  return { ...report };
}
