// What do a few labels give behind a frozen pretrained encoder? Draws so many labels of each class, trains a supervised
// contrastive adapter on all images with these labels, and asks for the classes of held-out images: k-NN and a linear probe
// of the adapted features beside both of the start, all by the same labels; balanced accuracy, mean over draws ± deviation.
// npm run build && node bench/fewLabels.mjs SET… --from START [--image-size 128] [--labels 5,10,20,all] [--draws 3]
//   [--set PATH=VALUE …]
// SET is a folder with train and test.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";

import { permutation, randomStream } from "../dist/core/index.js";
import { evaluate } from "../dist/evaluate/index.js";
import { loadEncoder, openImages } from "../dist/inference/index.js";
import { setAt, train, valueOf, withPreset } from "../dist/train/index.js";

const { values, positionals: sets } = parseArgs({
  allowPositionals: true,
  options: {
    from: { type: "string" },
    "image-size": { type: "string", default: "128" },
    labels: { type: "string", default: "5,10,20,all" },
    draws: { type: "string", default: "3" },
    set: { type: "string", multiple: true, default: [] },
  },
});
if (values.from === undefined || sets.length === 0) {
  console.error("node bench/fewLabels.mjs SET… --from START");
  process.exit(2);
}
const imageSize = Number(values["image-size"]);
const folder = mkdtempSync(join(tmpdir(), "contrapose-labels-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
process.env.CONTRAPOSE_CACHE ??= folder;
const cache = join(process.env.CONTRAPOSE_CACHE, "packed");
const kept = join(cache, "features");

/** A file of so many labels of each class. */
function drawLabels(images, each, draw) {
  const order = permutation(randomStream(draw, "labels"), images.count);
  const left = new Map(images.classes.map((_, label) => [label, each]));
  const lines = [];
  for (const image of order) {
    const label = images.labels[image];
    if (label < 0 || left.get(label) === 0) continue;
    left.set(label, left.get(label) - 1);
    lines.push(`"${images.idOf(image)}",${images.classes[label]}\n`);
  }
  const path = join(folder, `labels-${draw}-${each}.csv`);
  writeFileSync(path, `path,label\n${lines.join("")}`);
  return path;
}

/** Balanced accuracies of a run and of its start, and seconds of training. */
async function measured(set, labels, each, draw) {
  const data = join(set, "train");
  const tree = values.set.reduce(
    (at, word) => {
      const [path, ...value] = word.split("=");
      return setAt(at, path, valueOf(value.join("=")));
    },
    withPreset({ method: "supCon", data, labels, from: values.from, imageSize, seed: draw }),
  );
  const out = join(folder, "run");
  const quiet = { evaluation: { every: 0 }, record: { steps: 0 } };
  const before = process.cpuUsage();
  const { run, seconds } = await train({ ...quiet, ...tree, out }, { overwrite: true });
  const cpu = Object.values(process.cpuUsage(before)).reduce((sum, one) => sum + one, 0) / 1e6;
  const images = await openImages(data, { cache, imageSize, labels });
  const test = await openImages(join(set, "test"), { cache, imageSize });
  const loaded = await loadEncoder(join(run, "checkpoints", "last"));
  const k = Math.min(20, each);
  const own = await evaluate(loaded, { train: images, test }, { kept, k });
  images.close();
  test.close();
  const of = ({ knn, linear }) => [knn.balanced, linear.balanced];
  return [...of(own.baselines.start), ...of(own), seconds, cpu];
}

const written = (column) => {
  const mean = column.reduce((sum, value) => sum + value, 0) / column.length;
  const squares = column.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return [mean, Math.sqrt(squares / Math.max(1, column.length - 1))];
};
const points = (column) => written(column.map((value) => 100 * value));
const shown = ([mean, deviation]) => `${mean.toFixed(1)} ± ${deviation.toFixed(1)}`;

console.log(
  "| set | labels a class | start k-NN | start probe | adapted k-NN | adapted probe | s | CPU s |",
);
console.log("| --- | --- | --- | --- | --- | --- | --- | --- |");
for (const set of sets) {
  const images = await openImages(join(set, "train"), { cache, imageSize });
  for (const each of values.labels.split(",").map((one) => (one === "all" ? Infinity : +one))) {
    const rows = [];
    for (let draw = 0; draw < Number(values.draws); draw++) {
      rows.push(await measured(set, drawLabels(images, each, draw), each, draw));
    }
    const columns = rows[0].map((_, i) => rows.map((row) => row[i]));
    const shares = columns.slice(0, 4).map((column) => shown(points(column)));
    const times = columns.slice(4).map((column) => written(column)[0].toFixed(1));
    const name = each === Infinity ? "all" : each;
    console.log(`| ${[basename(set), name, ...shares, ...times].join(" | ")} |`);
  }
  images.close();
}
