// Embedding speed beside Python: `contrapose embed`'s way from image files to vectors, and ONNX Runtime in Python with PIL, in
// turn on the same files, decoding and resizing included, programs loaded and warm on both sides.
// npm run build && node bench/embedSpeed.mjs --from FOLDER --images FOLDER [--python python3] [--image-size 128] [--rounds 5]
//   [--batch 32] [--threads N] [--count 320]
// FOLDER is a repository with model.safetensors and onnx/model.onnx. Python runs the latter with its defaults, and once more
// without spinning threads. Time of processors (user + system) is what a loaded machine can still compare.
import { spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { defaultThreads } from "../dist/engine/index.js";
import { embedImages, openImageEncoder } from "../dist/evaluate/index.js";
import { openImages } from "../dist/inference/index.js";

const { values } = parseArgs({
  options: {
    from: { type: "string" },
    images: { type: "string" },
    python: { type: "string", default: "python3" },
    "image-size": { type: "string", default: "128" },
    rounds: { type: "string", default: "5" },
    batch: { type: "string", default: "32" },
    threads: { type: "string" },
    count: { type: "string", default: "320" },
  },
});
if (values.from === undefined || values.images === undefined) {
  console.error("node bench/embedSpeed.mjs --from FOLDER --images FOLDER [--python python3]");
  process.exit(2);
}
const threads = Number(values.threads ?? defaultThreads());
const imageSize = Number(values["image-size"]);
const scratch = mkdtempSync(join(tmpdir(), "contrapose-bench-"));

/** Some of the files, in a folder of their own. */
const folder = join(scratch, "images");
mkdirSync(folder);
const all = await openImages(values.images, { cache: join(scratch, "all") });
const count = Math.min(Number(values.count), all.count);
const files = Array.from({ length: count }, (_, i) => {
  const from = join(all.dataset.header.source.path, all.idOf(i));
  const to = join(folder, `${i}-${all.idOf(i).split("/").at(-1)}`);
  cpSync(from, to);
  return to;
});
all.close();

/** Python in a process of its own that embeds the files each time it is asked, and says what it took. */
function openPython(spin) {
  const script = fileURLToPath(new URL("embedSpeed.py", import.meta.url));
  const model = join(values.from, "onnx", "model.onnx");
  const args = [script, model, join(values.from, "config.json"), String(imageSize)];
  const child = spawn(values.python, [...args, values.batch, String(threads), spin], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async embed() {
      child.stdin.write(`${JSON.stringify(files)}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error("python ended");
      return JSON.parse(value);
    },
    close: () => child.stdin.end(),
  };
}

async function timed(run) {
  const [started, before] = [performance.now(), process.cpuUsage()];
  const sum = await run();
  const { user, system } = process.cpuUsage(before);
  return { wall: (performance.now() - started) / 1000, cpu: (user + system) / 1e6, sum };
}

const encoder = await openImageEncoder(values.from, { stated: { imageSize }, threads });
const packed = await openImages(folder, { cache: join(scratch, "packed") });
const total = ({ features }) => features.data.reduce((sum, x) => sum + Math.abs(x), 0);
let colds = 0;
const pythons = [openPython("1"), openPython("0")];
const ways = {
  "embed, first time": () =>
    timed(async () => {
      const images = await openImages(folder, { cache: join(scratch, `cold-${colds++}`) });
      const embedded = await embedImages(encoder, images);
      images.close();
      return total(embedded);
    }),
  "embed, packed before": () => timed(async () => total(await embedImages(encoder, packed))),
  Python: () => pythons[0].embed(),
  "Python, no spinning": () => pythons[1].embed(),
};
try {
  const found = Object.fromEntries(Object.keys(ways).map((name) => [name, []]));
  for (const way of Object.values(ways)) await way();
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [name, way] of Object.entries(ways)) found[name].push(await way());
  }
  const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];
  const digits = (numbers, places) => numbers.map((x) => x.toFixed(places)).join(", ");
  console.log(`${count} images at ${imageSize} px, ${threads} threads, ${values.rounds} rounds\n`);
  console.log(
    "| | images/s | ms of processors an image | Python / this, by processors | by the clock |",
  );
  console.log("| --- | --- | --- | --- | --- |");
  for (const [name, rounds] of Object.entries(found)) {
    const of = (what) => rounds.map((round, i) => found.Python[i][what] / round[what]);
    const speed = count / median(rounds.map(({ wall }) => wall));
    const cost = (1000 * median(rounds.map(({ cpu }) => cpu))) / count;
    const ratio = (what) => `**${median(of(what)).toFixed(2)}** (${digits(of(what), 2)})`;
    console.log(
      `| ${name} | ${speed.toFixed(1)} | ${cost.toFixed(2)} | ${ratio("cpu")} | ${ratio("wall")} |`,
    );
  }
  const sums = Object.values(found).map((rounds) => rounds[0].sum);
  const most = Math.max(...sums.map((sum) => Math.abs(sum / sums[0] - 1)));
  console.log(`\nsums of the vectors differ by ${(100 * most).toFixed(4)} % at most`);
} finally {
  pythons.forEach((python) => python.close());
  packed.close();
  await encoder.dispose();
  rmSync(scratch, { recursive: true, force: true });
}
