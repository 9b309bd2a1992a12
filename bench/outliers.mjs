// Outliers: are images of another kind that were put among others found? `contrapose outliers` on a folder of one kind with
// some of another planted: area under the ROC curve, and precision among as many of the oddest as were planted.
// npm run build && node bench/outliers.mjs --from START --images FOLDER --planted FOLDER [--planted FOLDER …]
//   [--counts 1,5,10,20] [--k 1,5,10,20,50] [--image-size 224] [--seeds 5]
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { parseArgs } from "node:util";

import { permutation, randomStream } from "../dist/core/index.js";
import { embedImages, openImageEncoder } from "../dist/evaluate/index.js";
import { openImages, resolveStart } from "../dist/inference/index.js";
import { findOutliers } from "../dist/metrics/index.js";

const { values } = parseArgs({
  options: {
    from: { type: "string" },
    images: { type: "string" },
    planted: { type: "string", multiple: true, default: [] },
    counts: { type: "string", default: "1,5,10,20" },
    k: { type: "string", default: "1,5,10,20,50" },
    "image-size": { type: "string" },
    seeds: { type: "string", default: "5" },
  },
});
if (values.from === undefined || values.images === undefined || values.planted.length === 0) {
  console.error("node bench/outliers.mjs --from START --images FOLDER --planted FOLDER");
  process.exit(2);
}
const numbers = (text) => text.split(",").map(Number);
const cache = mkdtempSync(join(tmpdir(), "contrapose-outliers-"));
process.on("exit", () => rmSync(cache, { recursive: true, force: true }));

const imageSize = values["image-size"] && Number(values["image-size"]);
const encoder = await openImageEncoder(await resolveStart(values.from), { stated: { imageSize } });

async function featuresOf(folder) {
  const images = await openImages(folder, { cache });
  const { features } = await embedImages(encoder, images);
  images.close();
  return features;
}

/** Rows of one set with some of another behind them. */
function joined(usual, odd, rows) {
  const { dimension } = usual;
  const data = new Float32Array((usual.count + rows.length) * dimension);
  data.set(usual.data);
  rows.forEach((row, i) => {
    const from = odd.data.subarray(row * dimension, (row + 1) * dimension);
    data.set(from, (usual.count + i) * dimension);
  });
  return { data, count: usual.count + rows.length, dimension };
}

/** Share of pairs of an odd and a usual row in which the odd one has the larger score; ties count half. */
function areaUnderCurve(scores, usual) {
  let sum = 0;
  for (let i = usual; i < scores.length; i++)
    for (let j = 0; j < usual; j++)
      sum += scores[i] > scores[j] ? 1 : scores[i] === scores[j] ? 0.5 : 0;
  return sum / (usual * (scores.length - usual));
}

const mean = (all) => all.reduce((sum, x) => sum + x, 0) / all.length;
const usual = await featuresOf(values.images);
const nameOf = (path) => `${basename(dirname(path))}/${basename(path)}`;
console.log(`${usual.count} images of ${nameOf(values.images)}, means of ${values.seeds} draws\n`);
console.log("| planted | k | AUC | precision | odd: usual | odd: planted |");
console.log("| --- | --- | --- | --- | --- | --- |");
for (const folder of values.planted) {
  const odd = await featuresOf(folder);
  for (const count of numbers(values.counts)) {
    for (const k of numbers(values.k)) {
      const found = [];
      for (let seed = 0; seed < Number(values.seeds); seed++) {
        const rows = [...permutation(randomStream(seed, "planted"), odd.count)].slice(0, count);
        const { scores, limit } = await findOutliers(joined(usual, odd, rows), k);
        const order = [...scores.keys()].sort((a, b) => scores[b] - scores[a]);
        const isOdd = (part) => part.filter((score) => score > limit).length;
        found.push([
          areaUnderCurve(scores, usual.count),
          order.slice(0, count).filter((row) => row >= usual.count).length / count,
          isOdd(scores.subarray(0, usual.count)) / usual.count,
          isOdd(scores.subarray(usual.count)) / count,
        ]);
      }
      const [area, precision, ...shares] = found[0].map((_, i) => mean(found.map((one) => one[i])));
      const percents = shares.map((share) => `${(100 * share).toFixed(1)} %`).join(" | ");
      console.log(
        `| ${count} of ${nameOf(folder)} | ${k} | ${area.toFixed(3)} | ${precision.toFixed(2)} | ${percents} |`,
      );
    }
  }
}
await encoder.dispose();
