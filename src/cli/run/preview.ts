import { dirname } from "node:path";

import { permutation, randomStream } from "../../core/random.ts";
import { encodePng } from "../../data/index.ts";
import { writeFileAtomic } from "../../files/index.ts";
import type { Images } from "../../inference/index.ts";
import {
  type CostEstimate,
  estimateCost,
  openStart,
  type RunConfig,
  viewSize,
} from "../../train/index.ts";
import { previewViews, type ViewPolicy } from "../../views/index.ts";
import { count, counted, duration, percent } from "../format.ts";
import type { Answer, Call } from "../verb.ts";
import { cacheFor, fetchingOf, openWithProgress } from "../common/images.ts";
import { contactSheet } from "../common/picture.ts";
import { refuseExisting } from "../common/resultPage.ts";
import { readSettings } from "../common/settings.ts";
import { valueReader } from "../common/values.ts";

/** What about a policy may surprise. */
function viewWarnings(policy: ViewPolicy, shortSide: number): string[] {
  const { size, crop, jitter, grey, blur, rotation } = policy;
  const warnings: string[] = [];
  if (size > shortSide * 1.5) {
    warnings.push(
      `views of ${size} px are made of images of ${shortSide} px: they show no more than smaller ones`,
    );
  }
  if (crop.kind === "random" && (crop.scale?.[0] ?? 1) < 0.1) {
    warnings.push(
      `crops go down to ${percent(crop.scale[0], 0)} of an image: two views may show different things`,
    );
  }
  if (crop.kind === "centre")
    warnings.push("crops are all the same: cropping is what teaches most");
  if (jitter.probability * jitter.strength === 0 && grey === 0) {
    warnings.push("colours never change: an encoder can tell images by their colours alone");
  }
  if (grey > 0.5)
    warnings.push(`${percent(grey, 0)} of the views are grey: colours will hardly be learned`);
  if (blur.probability > 0 && size <= 32)
    warnings.push("blur takes much away from views of 32 px or less");
  if (rotation.probability + rotation.rightAngles > 0)
    warnings.push("views are turned: what is upside down will look the same");
  return warnings;
}

async function picture(
  images: Images,
  policy: ViewPolicy,
  seed: number,
  rows: number,
  views: number,
) {
  const order = permutation(randomStream(seed, "preview"), images.count).slice(0, rows);
  const cells = Array.from(order, (index) => {
    const image = images.image(index);
    const own = { ...image, data: image.data.slice() };
    // a seed of its own for each image: the same draws for all would hide how views differ
    return [own, ...previewViews(own, policy, seed + index, views).map((view) => view.image)];
  });
  return encodePng(await contactSheet(cells, Math.max(64, Math.min(128, policy.size))));
}

function sayCost({
  config,
  estimate,
  printer,
}: {
  config: RunConfig;
  estimate: CostEstimate;
  printer: Call["printer"];
}) {
  const { secondsPerStep, seconds, memoryMiB, stepsPerEpoch } = estimate;
  printer.say(
    `cost       ${(1000 * secondsPerStep).toFixed(0)} ms a step, ${duration(secondsPerStep * stepsPerEpoch)} an epoch, about ${duration(seconds)} for ${counted(config.epochs, "epoch")}`,
  );
  printer.say(`memory     about ${count(memoryMiB)} MiB while training`);
}

/** Draws the views of a config and estimates its cost. */
export async function runPreview(call: Call): Promise<Answer> {
  const { options, printer } = call;
  const values = valueReader("preview", options);
  const rows = values.number("images", { whole: true, least: 1, most: 64 }) ?? 8;
  const views = values.number("count", { whole: true, least: 1, most: 64 }) ?? 8;
  values.check();
  const out = values.text("out") ?? "preview.png";
  refuseExisting("preview", out, options.overwrite === true);
  const tree = await readSettings(call, "preview");
  delete tree.out;
  const cache = cacheFor(call, out, dirname(out));
  const { from } = tree as Pick<RunConfig, "from">; // checked by the schema
  const asked = viewSize(tree);
  const start = from === undefined ? undefined : await openStart(from, asked, fetchingOf(call));
  const imageSize = asked ?? start?.description.imageSize;
  const images = await openWithProgress(String(tree.data), cache, call, {
    imageSize,
    split: tree.split as RunConfig["split"],
    labels: tree.labels as RunConfig["labels"],
  });
  try {
    const timed = options.estimate !== false;
    const { config, estimate } = await estimateCost(tree, images, timed, start);
    const policy = config.views;
    await writeFileAtomic(out, await picture(images, policy, config.seed, rows, views));
    const warnings = viewWarnings(policy, images.shortSide);
    printer.say(
      `picture    ${out}: ${counted(Math.min(rows, images.count), "image")}, the original first, ${views} views each`,
    );
    printer.say(
      `views      ${policy.preset}, ${policy.size} px, ${policy.count} of each image in a batch`,
    );
    for (const warning of warnings) printer.say(`warning    ${warning}`);
    if (estimate !== undefined) sayCost({ config, estimate, printer });
    return {
      picture: out,
      views: policy,
      warnings,
      ...(estimate === undefined ? {} : { estimate }),
    };
  } finally {
    images.close();
  }
}
