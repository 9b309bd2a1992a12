// Does an adapter behind a frozen pretrained encoder help? Says how well that knows the images of each set, trains an adapter
// by each method and seed, and prints balanced k-NN of held-out images: of the start, at the end, and of the best checkpoint,
// which these very images chose. --methods "" trains none.
// npm run build && node bench/adapt.mjs SET… --from START [--image-size 128] [--seeds 0,1] [--methods simclr,supCon]
//   [--out FOLDER] [-- OPTIONS OF train]
// SET is a folder with train and test.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { meetStart, openStart, openTrainingData } from "../dist/train/index.js";

const [own, more] = [process.argv.slice(2), []];
if (own.includes("--")) more.push(...own.splice(own.indexOf("--")).slice(1));
const { values, positionals: sets } = parseArgs({
  args: own,
  allowPositionals: true,
  options: {
    from: { type: "string" },
    "image-size": { type: "string", default: "128" },
    seeds: { type: "string", default: "0,1" },
    methods: { type: "string", default: "simclr,supCon" },
    out: { type: "string", default: join(tmpdir(), "contrapose-adapt") },
  },
});
if (values.from === undefined || sets.length === 0) {
  console.error("node bench/adapt.mjs SET… --from START");
  process.exit(2);
}
const main = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
const percent = (share) => (100 * share).toFixed(1);

/** Balanced k-NN of a run: of its start, at its end, the best; k-NN of start and end; seconds of training. */
function measured(set, method, seed) {
  const out = join(values.out, `${basename(set)}-${method}-${values["image-size"]}-${seed}`);
  const places = ["--test", join(set, "test"), "--from", values.from, "--out", out, "--overwrite"];
  const how = ["--method", method, "--seed", seed, "--image-size", values["image-size"]];
  const args = [main, "train", join(set, "train"), ...places, ...how, ...more, "--quiet"];
  execFileSync(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
  const lines = readFileSync(join(out, "metrics.jsonl"), "utf8").trim().split("\n");
  const records = lines.map((line) => JSON.parse(line));
  const start = records.find(({ kind }) => kind === "baselines");
  const evaluations = records.filter(({ kind }) => kind === "evaluation");
  const end = evaluations.at(-1);
  const best = Math.max(start.balancedStart, ...evaluations.map(({ knnBalanced }) => knnBalanced));
  return {
    start: start.balancedStart,
    end: end.knnBalanced,
    best,
    accuracy: [start.knnStart, end.knnAccuracy],
    seconds: end.elapsedSeconds,
  };
}

/** Share of up to 256 images whose two views the start finds nearest to each other. */
async function agreement(set) {
  const [imageSize, out] = [Number(values["image-size"]), join(values.out, "any")];
  const calls = { signal: new AbortController().signal, listener: () => undefined };
  const start = await openStart(values.from, imageSize, { ...calls, progress: () => undefined });
  const data = await openTrainingData(join(set, "train"), { out, imageSize, ...calls });
  try {
    return (await meetStart(start, { out }, { data, ...calls })).viewAgreement;
  } finally {
    data.close();
  }
}

for (const set of sets) {
  console.log(`${basename(set)}: views of an image agree for ${percent(await agreement(set))} %`);
}
console.log("\n| set | method | seed | start | end | best | k-NN start, end | s |");
console.log("| --- | --- | --- | --- | --- | --- | --- | --- |");
for (const set of sets) {
  for (const method of values.methods.split(",").filter(Boolean)) {
    for (const seed of values.seeds.split(",")) {
      const { start, end, best, accuracy, seconds } = measured(set, method, seed);
      const shares = [start, end, best].map(percent).join(" | ");
      console.log(
        `| ${basename(set)} | ${method} | ${seed} | ${shares} | ${accuracy.map(percent).join(", ")} | ${seconds.toFixed(0)} |`,
      );
    }
  }
}
