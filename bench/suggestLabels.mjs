// Are the images that `suggest-labels` names worth more than images by chance? Labels so many images of each set, named by
// chance, as the typical ones, or half as typical and then half as uncertain ones; asks for held-out images by k-NN and a
// linear probe of the encoder's features with these labels; balanced accuracy, mean over draws ± deviation, and classes found.
// npm run build && node bench/suggestLabels.mjs SET… --from START [--image-size 128] [--each 5,10] [--draws 5]
// SET is a folder with train and test; so many labels a class in total.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";

import { permutation, randomStream } from "../dist/core/index.js";
import { embedImages, openImageEncoder } from "../dist/evaluate/index.js";
import { labelsIn, openImages, resolveStart } from "../dist/inference/index.js";
import { balancedShare, knnClassify, linearProbe, suggestRows } from "../dist/metrics/index.js";

const { values, positionals: sets } = parseArgs({
  allowPositionals: true,
  options: {
    from: { type: "string" },
    "image-size": { type: "string", default: "128" },
    each: { type: "string", default: "5,10" },
    draws: { type: "string", default: "5" },
  },
});
if (values.from === undefined || sets.length === 0) {
  console.error("node bench/suggestLabels.mjs SET… --from START");
  process.exit(2);
}
const cache = mkdtempSync(join(tmpdir(), "contrapose-suggest-"));
process.on("exit", () => rmSync(cache, { recursive: true, force: true }));
const stated = { imageSize: Number(values["image-size"]) };
const encoder = await openImageEncoder(await resolveStart(values.from), { stated });

async function featuresOf(folder, classes) {
  const images = await openImages(folder, { cache });
  const { features } = await embedImages(encoder, images);
  const labels = labelsIn(images, classes ?? images.classes);
  images.close();
  return { features, labels, classes: images.classes };
}

/** Labels of some rows, −1 elsewhere. */
const known = (labels, rows) => {
  const out = new Int32Array(labels.length).fill(-1);
  for (const row of rows) out[row] = labels[row];
  return out;
};

const strategies = {
  chance: ({ labels }, count, seed) =>
    permutation(randomStream(seed, "chance"), labels.length).slice(0, count),
  async typical({ features, labels }, count, seed) {
    const none = known(labels, []);
    return (await suggestRows(features, none, { count, seed })).map(({ row }) => row);
  },
  async uncertain(train, count, seed) {
    const first = await strategies.typical(train, Math.ceil(count / 2), seed);
    const uncertain = count - first.length;
    const found = await suggestRows(train.features, known(train.labels, first), {
      count: uncertain,
      uncertain,
      seed,
    });
    return [...first, ...found.map(({ row }) => row)];
  },
};

function asked(train, test, rows) {
  const { dimension } = train.features;
  const data = new Float32Array(rows.length * dimension);
  rows.forEach((row, i) =>
    data.set(train.features.data.subarray(row * dimension, (row + 1) * dimension), i * dimension),
  );
  const left = {
    features: { data, count: rows.length, dimension },
    labels: Int32Array.from(rows, (row) => train.labels[row]),
    classes: train.classes.length,
  };
  const vote = knnClassify(left, test, { k: 5 });
  const probe = linearProbe(left, test);
  const shares = [vote, probe].map(({ predictions }) => balancedShare(predictions, test.labels));
  return [...shares.map((share) => 100 * share), new Set(left.labels).size];
}

const shown = (column) => {
  const mean = column.reduce((sum, value) => sum + value, 0) / column.length;
  const squares = column.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return `${mean.toFixed(1)} ± ${Math.sqrt(squares / Math.max(1, column.length - 1)).toFixed(1)}`;
};

console.log("| set | labels | by | k-NN | probe | classes |");
console.log("| --- | --- | --- | --- | --- | --- |");
for (const set of sets) {
  const train = await featuresOf(join(set, "train"));
  const test = await featuresOf(join(set, "test"), train.classes);
  for (const each of values.each.split(",").map(Number)) {
    const count = each * train.classes.length;
    for (const [name, choose] of Object.entries(strategies)) {
      const rows = [];
      for (let seed = 0; seed < Number(values.draws); seed++) {
        rows.push(asked(train, test, Array.from(await choose(train, count, seed))));
      }
      const columns = rows[0].map((_, i) => shown(rows.map((row) => row[i])));
      console.log(`| ${[basename(set), count, name, ...columns].join(" | ")} |`);
    }
  }
}
await encoder.dispose();
