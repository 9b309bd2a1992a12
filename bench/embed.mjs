// Embedding throughput, decoding included, beside onnxruntime alone on the same graph.
// npm run build && node bench/embed.mjs RUN IMAGES [--threads 2] [--rounds 3] [--batch 32]
//   cold     contrapose: files decoded and packed, then embedded, as the first `contrapose embed` does
//   packed   contrapose on images that are packed already, as every later one does
//   sharp    onnxruntime with sharp decoding each file, one batch after the other, as a script would
//   graph    onnxruntime alone on the exported model with inputs made beforehand: no decoding at all
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import * as ort from "onnxruntime-node";
import sharp from "sharp";

import { embedImages, exportEncoder, openImageEncoder } from "../dist/evaluate/index.js";
import { imageRows, loadEncoder, openImages } from "../dist/inference/index.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    threads: { type: "string", default: "2" },
    rounds: { type: "string", default: "3" },
    batch: { type: "string", default: "32" },
  },
});
const [run, folder] = positionals;
if (folder === undefined) {
  console.error("node bench/embed.mjs RUN IMAGES [--threads 2] [--rounds 3] [--batch 32]");
  process.exit(2);
}
const [threads, rounds, asked] = [values.threads, values.rounds, values.batch].map(Number);
const scratch = mkdtempSync(join(tmpdir(), "contrapose-bench-"));
const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];

try {
  const loaded = await loadEncoder(run);
  const { imageSize: size, mean, std } = loaded.description;
  const exported = await exportEncoder(loaded, join(scratch, "exported"));
  const batch = exported.batch === "any" ? asked : exported.batch;
  const model = readFileSync(exported.onnx);
  const encoder = await openImageEncoder(run, { threads });
  const packed = await openImages(folder, { cache: join(scratch, "packed"), imageSize: size });
  const count = packed.count;
  const files = Array.from({ length: count }, (_, i) =>
    join(packed.dataset.header.source.path, packed.dataset.entry(i).path),
  );
  const session = await ort.InferenceSession.create(model, { intraOpNumThreads: threads });
  const shape = (n) => [n, 3, size, size];
  const feed = (data, n) => session.run({ images: new ort.Tensor("float32", data, shape(n)) });

  async function sharpPixels(file, out, offset) {
    const { data } = await sharp(file)
      .autoOrient()
      .resize(size, size, { fit: "cover" })
      .flatten({ background: "#ffffff" })
      .toColourspace("srgb")
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    const n = size * size;
    for (let i = 0; i < 3 * n; i++) {
      out[offset + (i % 3) * n + Math.floor(i / 3)] = (data[i] / 255 - mean[i % 3]) / std[i % 3];
    }
  }

  const ways = {
    async cold(round) {
      const cache = join(scratch, `cold-${round}`);
      const images = await openImages(folder, { cache, imageSize: size });
      await embedImages(encoder, images);
      images.close();
    },
    async packed() {
      await embedImages(encoder, packed);
    },
    async sharp() {
      const values = 3 * size * size;
      const input = new Float32Array(batch * values);
      for (let start = 0; start < count; start += batch) {
        const some = files.slice(start, start + batch);
        await Promise.all(some.map((file, i) => sharpPixels(file, input, i * values)));
        await feed(input.subarray(0, some.length * values), some.length);
      }
    },
    async graph() {
      for (let start = 0; start < count; start += batch) {
        const n = Math.min(batch, count - start);
        await feed(ready.subarray(0, n * 3 * size * size), n);
      }
    },
  };
  const ready = new Float32Array(batch * 3 * size * size);
  const rows = imageRows(packed, encoder.format);
  for (let i = 0; i < Math.min(batch, count); i++) rows.fill(i, ready, i * 3 * size * size);
  for (const way of Object.values(ways)) await way("warm-up");
  const speeds = Object.fromEntries(Object.keys(ways).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, way] of Object.entries(ways)) {
      const started = performance.now();
      await way(round);
      speeds[name].push((1000 * count) / (performance.now() - started));
    }
  }
  console.log(
    `${count} images, ${size} px, batches of ${batch} by onnxruntime, medians of ${rounds} rounds`,
  );
  console.log(
    `${threads} threads compute vectors; decoding (sharp) and packing choose their own\n`,
  );
  console.log("| | images/s | of sharp + onnxruntime | of the graph alone |");
  console.log("| --- | --- | --- | --- |");
  for (const [name, all] of Object.entries(speeds)) {
    const [speed, other, graph] = [all, speeds.sharp, speeds.graph].map(median);
    const share = (x) => `${((100 * speed) / x).toFixed(0)} %`;
    console.log(`| ${name} | ${speed.toFixed(1)} | ${share(other)} | ${share(graph)} |`);
  }
  packed.close();
  await encoder.dispose();
  await session.release();
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
