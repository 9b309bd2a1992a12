// What is fuzzed: every reader of files, and of what a server answers. `open` gives valid inputs and what reads one.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";

import sharp from "sharp";
import { pack } from "tar-stream";

import { compareFolder, readResults, readState } from "../dist/compare/folder.js";
import { parseCases } from "../dist/conformance/caseFile.js";
import { keptEvaluation } from "../dist/cli/common/keptEvaluation.js";
import { openEncoderOf } from "../dist/evaluate/queryImage.js";
import { resnet } from "../dist/encoders/index.js";
import { decodeImage, detectSource, openDataset, packDataset } from "../dist/data/index.js";
import { readJournal } from "../dist/data/packed/journal.js";
import { sniff, whyNoImage } from "../dist/data/pixels/sniff.js";
import { exifTime } from "../dist/data/pixels/exifTime.js";
import { remembered } from "../dist/engine/tuning.js";
import { GraphBuilder } from "../dist/engine/onnx.js";
import { decodeEvents, decodeRecords, encodeRecord } from "../dist/files/eventRecords.js";
import * as files from "../dist/files/index.js";
import * as inference from "../dist/inference/index.js";
import * as store from "../dist/store/index.js";
import * as train from "../dist/train/index.js";
import { writeRecordedStep } from "../dist/train/pairs/pairFiles.js";
import { readFailure } from "../dist/train/failure.js";
import { openOnnxEncoder } from "../dist/inference/onnxEncoder.js";
import { viewPolicy } from "../dist/views/index.js";
import { mutateBytes, mutateJson, mutateLines, mutateValue } from "./fuzzMutations.mjs";

const json = (value) => Buffer.from(JSON.stringify(value));
const jsonOf = (...values) => values.map(json);
const float = (...shape) => ({
  dtype: "float32",
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i)),
});

/** A target that reads bytes in memory. */
const bytes = (weight, seeds, read, mutate = mutateBytes) => ({
  weight,
  open: async () => ({ seeds: await seeds(), mutate, read }),
});

/** A target that reads a file, put in its place for each call. */
const file = (weight, name, prepare, read, mutate = mutateBytes) => ({
  weight,
  async open(folder) {
    const seeds = await prepare(folder);
    const path = join(folder, name);
    return {
      seeds,
      mutate,
      async read(input) {
        writeFileSync(path, input);
        await read(path, folder);
      },
    };
  },
});

/** A picture of random soft squares, as pixels. */
function pixels(size, seed = 1) {
  return Buffer.from(
    Array.from({ length: 3 * size * size }, (_, i) => (i * seed * 37 + (i >> 5) * 11) % 256),
  );
}
const picture = (size, seed) =>
  sharp(pixels(size, seed), { raw: { width: size, height: size, channels: 3 } });

/** A packed dataset of three pictures. */
async function packed(folder) {
  const images = join(folder, "images");
  mkdirSync(images, { recursive: true });
  for (const i of [1, 2, 3])
    writeFileSync(join(images, `${i}.png`), await picture(24, i).png().toBuffer());
  const out = join(folder, "packed");
  await packDataset(await detectSource(images), out);
  return out;
}

async function readPacked(folder, memory) {
  const dataset = await openDataset(folder, memory);
  try {
    for (let i = 0; i < dataset.count; i++) [dataset.entry(i), dataset.image(i)];
  } finally {
    dataset.close();
  }
}

const entriesIn = (folder) => readdirSync(folder).find((name) => name.startsWith("entries-"));

/** One file of a packed dataset. */
const packedFile = (weight, nameIn, mutate, memory) => ({
  weight,
  async open(folder) {
    const out = await packed(folder);
    const path = join(out, nameIn(out));
    return {
      seeds: [readFileSync(path)],
      mutate,
      async read(input) {
        writeFileSync(path, input);
        await readPacked(out, memory);
      },
    };
  },
});

async function readSource(path) {
  const source = await detectSource(path, { split: "all" });
  for await (const entry of source.entries(() => undefined)) {
    const content = await entry.load();
    if (!("bytes" in content || "image" in content)) throw new TypeError("no content");
  }
}

/** A file from which images are read. */
const source = (weight, name, prepare, mutate = mutateBytes) => ({
  weight,
  async open(folder) {
    const place = join(folder, "data");
    mkdirSync(place);
    const seeds = await prepare(place);
    return {
      seeds,
      mutate,
      async read(input) {
        writeFileSync(join(place, name), input);
        await readSource(place);
      },
    };
  },
});

async function tar() {
  const archive = pack();
  for (const i of [1, 2]) {
    archive.entry({ name: `cats/${i}.png` }, await picture(8, i).png().toBuffer());
    archive.entry({ name: `cats/${i}.json` }, JSON.stringify({ label: "cat", caption: "x" }));
  }
  archive.finalize();
  const pieces = [];
  for await (const piece of archive) pieces.push(piece);
  return Buffer.concat(pieces);
}

function idx(count, side) {
  const header = Buffer.from([0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, side, 0, 0, 0, side]);
  return Buffer.concat([header, pixels(side).subarray(0, 0), Buffer.alloc(count * side * side, 7)]);
}

const vectors = (count, dimension) => ({
  data: Float32Array.from({ length: count * dimension }, (_, i) => Math.sin(i + 1)),
  count,
  dimension,
});
const imageRow = (i) => ({
  id: `${i}.png`,
  path: `${i}.png`,
  label: ["cat", "dog"][i % 2],
  group: i,
  width: 10 + i,
  height: 20,
  content: `c${i}`,
});
const embeddings = {
  images: [0, 1, 2, 3].map(imageRow),
  features: vectors(4, 3),
  facts: { encoder: "run", encoderHash: "abc", features: "features" },
};

async function table(folder) {
  const path = join(folder, "table.parquet");
  await store.writeEmbeddings({ parquet: path }, embeddings);
  return [readFileSync(path)];
}

const config = {
  data: "photos",
  out: "runs/x",
  method: "simclr",
  batchSize: 8,
  epochs: 2,
  seed: 1,
  threads: 1,
  framework: { name: "simclr", views: 2 },
  encoder: { name: "resnet", width: 8, blocks: [1] },
  head: { name: "mlp" },
  loss: { name: "infoNce", temperature: 0.2 },
  samplers: [{ name: "ring" }],
  optimiser: { name: "sgd" },
  learningRate: 0.1,
  imageSize: 16,
  device: "cpu",
  views: { preset: "small", size: 16, crop: { scale: [0.2, 1] }, perView: [{ grey: 0 }, {}] },
};
const about = {
  contrapose: "0.1.0",
  node: "v20",
  started: "2026-01-01T00:00:00Z",
  dataset: { images: 32, fingerprint: "f", classes: ["a", "b"] },
  choices: [{ path: "epochs", value: 2, reason: "time" }],
};
const stepLine = (step) => ({
  kind: "step",
  epoch: Math.floor(step / 4),
  step,
  loss: 2 - 0.1 * step,
  chanceLoss: 2.7,
  learningRate: 0.1,
  positiveSimilarity: 0.8,
  negativeSimilarity: 0.1,
  accuracy: 0.5,
  featureStd: 0.7,
  gradientNorm: 1,
  imagesPerSecond: 100,
  waitShare: 0.1,
  memoryMiB: 100,
  elapsedSeconds: step,
});
const otherLines = [
  {
    kind: "evaluation",
    epoch: 1,
    step: 4,
    knnAccuracy: 0.4,
    knnK: 20,
    knnTemperature: 0.07,
    knnChance: 0.5,
    uniformity: -2,
    effectiveRank: 5,
    elapsedSeconds: 4,
  },
  {
    kind: "health",
    epoch: 0,
    step: 2,
    viewMean: 0,
    viewStd: 1,
    viewDifference: 0.5,
    updateRatio: 0.01,
    weightNorm: 10,
    duplicateShare: 0,
    elapsedSeconds: 2,
  },
  {
    kind: "crops",
    epoch: 1,
    step: 4,
    mapSide: 4,
    boxArea: 0.5,
    restrictedShare: 0.2,
    imagesPerSecond: 9,
    elapsedSeconds: 4,
  },
];
const metrics = Buffer.from(
  [...[0, 1, 2, 3, 4, 5, 6, 7].map(stepLine), ...otherLines]
    .map((line) => `${JSON.stringify(line)}\n`)
    .join(""),
);

function runIn(folder) {
  const path = join(folder, "run");
  mkdirSync(path, { recursive: true });
  writeFileSync(
    join(path, "config.json"),
    JSON.stringify({ ...config, views: viewPolicy(config.views), about }),
  );
  writeFileSync(join(path, "metrics.jsonl"), metrics);
  return path;
}

/** One file of a run's folder. */
const runFile = (weight, name, seedsOf, read, mutate = mutateJson) => ({
  weight,
  async open(folder) {
    const run = runIn(folder);
    const seeds = seedsOf(run);
    return {
      seeds,
      mutate,
      async read(input) {
        writeFileSync(join(run, name), input);
        await read(run);
      },
    };
  },
});

const encoder = resnet({ width: 4, blocks: [1] }, { imageSize: 16 });
const description = inference.describeEncoder(
  { name: "resnet", width: 4, blocks: [1] },
  encoder,
  { imageSize: 16, mean: [0.5, 0.5, 0.5], std: [0.2, 0.2, 0.2] },
  {
    method: "simclr",
    head: { name: "mlp" },
    views: viewPolicy({ size: 16 }),
    seed: 0,
    data: "photos",
  },
);
const metadata = inference.encoderMetadata(description);
const weights = files.encodeSafetensors(
  { ...encoder.init(0).parameters, ...encoder.init(0).statistics },
  metadata,
);

/** Mutates one text of metadata, as JSON where it is such. */
function mutateMetadata(text, random) {
  const texts = JSON.parse(text);
  const names = Object.keys(texts);
  const name = names[random(names.length)];
  const given = Buffer.from(texts[name]);
  const isTree = /^[[{]/.test(texts[name]);
  texts[name] = (isTree ? mutateJson(given, random) : mutateBytes(given, random)).toString();
  return json(texts);
}

const state = () => ({
  encoder: { parameters: { "conv1.weight": float(2, 3) } },
  head: { bias: float(4) },
});
const position = {
  format: 1,
  package: "0.1.0",
  step: 3,
  epoch: 0,
  stepInEpoch: 3,
  elapsedSeconds: 1,
  best: null,
  lossSum: 2,
  lengths: { "metrics.jsonl": 10 },
  configHash: "h",
  decisive: { seed: 1 },
};
const exported = { prefix: "encoder/", metadata: {} };

const checkpoint = (weight, name, mutate) => ({
  weight,
  async open(folder) {
    const path = join(folder, "last");
    await train.writeCheckpoint(path, { state: state(), boxes: undefined }, position, exported);
    return {
      seeds: [readFileSync(join(path, name))],
      mutate,
      async read(input) {
        writeFileSync(join(path, name), input);
        train.readPosition(path);
        train.readCheckpoint(path, state(), { configHash: "h", decisive: { seed: 1 } }, exported);
      },
    };
  },
});

const pairRow = {
  step: 3,
  space: "a",
  anchorRow: 0,
  anchor: 1,
  term: 0,
  column: 2,
  kind: "view",
  candidate: 2,
  candidateRow: 1,
  role: "positive",
  positive: 1,
  negative: 0,
  similarity: 0.5,
  force: -0.1,
  rank: 1,
  reasons: "kept",
  first: null,
  second: null,
  share: null,
};

const parameters = {
  crop: { x: 0, y: 0, width: 4, height: 4 },
  flip: false,
  verticalFlip: false,
  rotation: 0,
  jitter: [],
  grey: false,
  blur: null,
  solarise: null,
  cutout: null,
};

/** One table of a recorded step. */
const recordedStep = (name) => ({
  weight: 2,
  async open(folder) {
    const anchor = { step: 3, epoch: 0, space: "a", anchorRow: 0, anchor: 1, view: 0, loss: 1 };
    const anchors = [{ ...anchor, terms: "[]", candidates: 1, leftOut: 0 }];
    const views = [{ row: 0, view: 0, image: 1, source: 1, parameters, box: null }];
    await writeRecordedStep(folder, 3, { anchors, pairs: [pairRow, pairRow], views });
    const path = join(folder, "step-0000003", name);
    return {
      seeds: [readFileSync(path)],
      mutate: mutateBytes,
      async read(input) {
        writeFileSync(path, input);
        await train.readRecordedStep(folder, 3);
      },
    };
  },
});

/** A server's answers, given by a stand-in for `fetch`. */
const qdrant = {
  weight: 6,
  async open() {
    const place = { url: "http://localhost:6333", collection: "c" };
    const mark = "m";
    const point = {
      id: 0,
      score: 0.5,
      payload: { ...imageRow(0), embeddings: mark },
      vector: [1, 0, 0],
    };
    const good = {
      info: { result: { config: { params: { vectors: { size: 3 } } } } },
      count: { result: { count: 4 } },
      point: { result: point },
      query: { result: [{ points: [point] }] },
      scroll: { result: { points: [point] } },
    };
    return {
      seeds: jsonOf(good),
      mutate(text, random) {
        const replies = JSON.parse(text);
        const names = Object.keys(replies);
        const name = names[random(names.length)];
        replies[name] = mutateValue(replies[name], random);
        return random(8) === 0 ? mutateBytes(json(replies), random) : json(replies);
      },
      async read(input) {
        let replies;
        try {
          replies = JSON.parse(input);
        } catch {
          replies = undefined; // then every answer is the raw text
        }
        globalThis.fetch = async (url) => {
          const name = /query/.test(url)
            ? "query"
            : /scroll/.test(url)
              ? "scroll"
              : /count/.test(url)
                ? "count"
                : /points\/0/.test(url)
                  ? "point"
                  : "info";
          return new Response(
            replies === undefined ? input : (JSON.stringify(replies?.[name]) ?? ""),
          );
        };
        const held = await store.qdrantStore(place, { count: 4, mark });
        await held.search(vectors(1, held.dimension || 3), { k: 2 });
        await held.vectorOf("0.png");
        await held.close();
      },
    };
  },
};

const images = (format, make) =>
  bytes(
    1,
    async () => [await make(picture(16, 1)).toBuffer(), await make(picture(40, 2)).toBuffer()],
    async (input) => {
      [sniff(input), whyNoImage(input)];
      await decodeImage(input, { seconds: 5 }, `x.${format}`);
    },
  );

/** A model with a layer of weights. */
function onnxModel() {
  const graph = new GraphBuilder();
  graph.input("pixels", "float32", ["N", 3, 8, 8]);
  const kernel = graph.constant("float32", [4, 3, 3, 3], float(4, 3, 3, 3).data);
  const maps = graph.emit("Relu", [
    graph.emit("Conv", ["pixels", kernel], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }),
  ]);
  const features = graph.emit("ReduceMean", [maps, graph.ints([2, 3])], { keepdims: 0 });
  graph.output("features", features, "float32", ["N", 4]);
  return Buffer.from(graph.toBytes("fuzz"));
}
const stated = { imageSize: 8, mean: [0, 0, 0], std: [1, 1, 1] };

const labels = 'path,label\n1.png,cat\n2.png,dog\n3.png,"a, b"\n';

export const targets = {
  safetensors: bytes(
    40,
    async () => [files.encodeSafetensors({ a: float(2, 3), b: float(4) }, { x: "y" }), weights],
    (input) => files.decodeSafetensors(input),
  ),
  safetensorsFile: file(
    10,
    "x.safetensors",
    async () => [files.encodeSafetensors({ a: float(2, 3), b: float(4) }, { x: "y" })],
    async (path) => [await files.readSafetensors(path), await files.readSafetensorsHeader(path)],
  ),
  encoderMetadata: bytes(
    12,
    async () => [json(metadata)],
    (input) => {
      const found = inference.descriptionOf(JSON.parse(input), "w.safetensors");
      if (found !== undefined) inference.networkFor(found, "w.safetensors");
    },
    mutateMetadata,
  ),
  encoderFile: file(
    6,
    "w.safetensors",
    async () => [weights],
    (path) => inference.loadEncoder(path),
  ),
  npy: bytes(
    40,
    async () => [files.encodeNpy(float(3, 4)), files.encodeNpy(float(5))],
    (input) => files.decodeNpy(input),
  ),
  npyFile: file(
    10,
    "x.npy",
    async () => [files.encodeNpy(float(3, 4))],
    (path) => files.readNpy(path),
  ),
  events: {
    weight: 20,
    async open(folder) {
      const writer = files.openEventWriter(folder, 2);
      writer.scalars(1, { "train/loss": 2, "train/accuracy": 0.5 });
      writer.image(2, "views", await picture(8).png().toBuffer());
      writer.close();
      return {
        seeds: [readFileSync(writer.path)],
        mutate: mutateBytes,
        read: (input) => decodeEvents(input),
      };
    },
  },
  eventMessages: {
    weight: 20,
    async open(folder) {
      const writer = files.openEventWriter(folder, 2);
      writer.scalars(1, { "train/loss": 2, "train/accuracy": 0.5 });
      writer.image(2, "views", await picture(8).png().toBuffer());
      writer.close();
      return {
        seeds: decodeRecords(readFileSync(writer.path)),
        mutate: mutateBytes,
        read: (input) => decodeEvents(encodeRecord(input)), // with checksums that fit
      };
    },
  },
  jsonLines: file(
    10,
    "x.jsonl",
    async () => [metrics],
    (path) => files.readJsonLines(path),
    mutateLines,
  ),
  metrics: runFile(
    6,
    "metrics.jsonl",
    () => [metrics],
    (run) => train.examineRun(run),
    mutateLines,
  ),
  runConfig: runFile(
    4,
    "config.json",
    (run) => [readFileSync(join(run, "config.json"))],
    async (run) => [train.runConfig(run), await train.examineRun(run)],
  ),
  failure: file(
    6,
    "failure.json",
    async () =>
      jsonOf({
        run: "r",
        checkpoint: "c",
        step: 3,
        epoch: 0,
        learningRate: 0.1,
        notFinite: ["loss"],
        figures: { loss: "NaN" },
        images: [{ index: 0, id: "a" }],
        replay: "x",
      }),
    (path) => readFailure(path),
    mutateJson,
  ),
  evaluation: runFile(
    6,
    "evaluation.json",
    () =>
      jsonOf({
        run: "r",
        encoder: "w",
        encoderHash: "h",
        features: "features",
        dimension: 8,
        classes: ["a", "b"],
        images: { train: 10, test: 5, how: "held out" },
        alignment: 1,
        uniformity: -2,
        effectiveRank: 4,
        knn: { accuracy: 0.5, k: 20, temperature: 0.07 },
        linear: { accuracy: 0.6 },
        featureStd: 1,
        baselines: {
          chance: 0.5,
          untrained: { knn: null, linear: null, alignment: 1, uniformity: -1, effectiveRank: 2 },
        },
      }),
    async (run) => keptEvaluation(train.runFolder(run)),
  ),
  checkpointPosition: checkpoint(6, "position.json", mutateJson),
  checkpointWeights: checkpoint(4, "weights.safetensors", mutateBytes),
  checkpointState: checkpoint(4, "state.safetensors", mutateBytes),
  recordedPairs: recordedStep("pairs.parquet"),
  recordedViews: recordedStep("views.parquet"),
  configYaml: file(
    4,
    "x.yaml",
    async () => [
      Buffer.from(
        "# a run\ndata: ./photos\nmethod: simclr\nloss: {name: infoNce, temperature: 0.2}\nsamplers:\n  - ring\n  - name: hardest\n    count: 4\nviews: &v\n  crop: {scale: [0.2, 1]}\nencoder:\n  name: resnet\n  blocks: [1, 1]\n",
      ),
      json(config),
    ],
    async (path) => train.configMistakes(await train.readConfigFile(path)),
  ),
  configJson: file(
    6,
    "x.json",
    async () => jsonOf(config, { data: "x", views: "photo", samplers: "ring,hardest" }),
    async (path) => train.configMistakes(await train.readConfigFile(path)),
    mutateJson,
  ),
  setWords: bytes(
    10,
    async () =>
      [
        "loss.temperature=0.1",
        "samplers.0.topK=3",
        "views.crop.scale=0.2,1",
        'encoder={"name":"vit"}',
      ].map((word) => Buffer.from(word)),
    (input) => {
      const [whole, ...value] = input.toString().split("=");
      const path = whole.split(".").slice(0, 16).join("."); // as many levels as the command line takes
      train.configMistakes(
        train.setAt(structuredClone(config), path, train.valueOf(value.join("="))),
      );
    },
  ),
  groups: file(
    10,
    "groups.json",
    async () =>
      jsonOf({
        format: "contrapose-groups",
        images: "x",
        groups: [
          ["a", "b"],
          ["c", "d", "a"],
        ],
      }),
    (path) =>
      inference.joinGroups(
        { ids: ["a", "b", "c", "d"], groups: Int32Array.of(0, 1, 2, 3) },
        inference.readGroups(path),
      ),
    mutateJson,
  ),
  packedHeader: packedFile(4, () => "dataset.json", mutateJson),
  packedEntries: packedFile(6, entriesIn, mutateLines),
  packedPixels: packedFile(4, () => "pixels-00000.bin", mutateBytes),
  packedFiles: packedFile(4, entriesIn, mutateLines, { memory: 0 }),
  journal: {
    weight: 6,
    async open(folder) {
      const out = await packed(folder);
      const lines = `${JSON.stringify({ key: "k" })}\n${readFileSync(join(out, entriesIn(out)))}`;
      return {
        seeds: [Buffer.from(lines)],
        mutate: mutateLines,
        async read(input) {
          writeFileSync(join(out, "journal.jsonl"), input);
          await readJournal(out, "k");
        },
      };
    },
  },
  tuning: {
    weight: 10,
    async open(folder) {
      process.env.CONTRAPOSE_CACHE = folder;
      return {
        seeds: jsonOf({ "cpu; 1; 16; 0.1.0": { "convolution 1,2,3": "winograd" } }),
        mutate: mutateJson,
        async read(input) {
          writeFileSync(join(folder, "lowerings.json"), input);
          await remembered("cpu; 1; 16; 0.1.0");
        },
      };
    },
  },
  comparison: file(
    8,
    "comparison.json",
    async () =>
      jsonOf({
        format: 1,
        contrapose: "0.1.0",
        parallel: 1,
        threads: 2,
        secondsPerEpoch: { h: 3 },
      }),
    (_, folder) => readState(compareFolder(folder)),
    mutateJson,
  ),
  comparisonResults: file(
    8,
    "results.jsonl",
    async () => [
      Buffer.from(
        `${JSON.stringify({ arm: "a", seed: 0, hash: "h", decisive: { seed: 0 }, run: "runs/a", contrapose: "0.1.0", date: "2026-01-01", epochs: 2, knn: 0.5, linear: null, alignment: 1, uniformity: -1, effectiveRank: 3, chance: 0.5, images: { train: 5, test: 5, how: "x" }, steps: 4, seconds: 9, memoryMiB: 90, loss: 1, chanceLoss: 2, boxRefreshes: 0, sampling: { a: 1 } })}\n`,
      ),
    ],
    (_, folder) => readResults(compareFolder(folder)),
    mutateLines,
  ),
  conformanceCases: bytes(
    8,
    async () =>
      jsonOf({
        format: "contrapose-conformance/1",
        cases: [
          {
            id: "a/b",
            method: "infoNce",
            params: { temperature: 0.1 },
            inputs: { z1: [[1, 2]] },
            differentiate: ["z1"],
            expect: { loss: 1 },
            tolerance: { loss: 1e-5, gradient: 1e-5 },
          },
        ],
      }),
    (input) => parseCases(input.toString(), "cases.json"),
    mutateJson,
  ),
  parquet: file(1, "x.parquet", table, async (path) => [
    await files.readParquetFooter(path),
    await files.readParquet(path),
  ]),
  embeddings: file(1, "t.parquet", table, (path) => store.readEmbeddings(path)),
  filter: bytes(
    20,
    async () =>
      [
        "label = 'cat' and width > 10",
        "not (id like 'a%_b%' or group in (1, 2, 3))",
        "label is null",
        "path like '%x%'",
      ].map((text) => Buffer.from(text)),
    (input) => store.matching(store.parseFilter(input.toString()), embeddings.images),
  ),
  qdrant,
  tar: source(2, "x.tar", async () => [await tar()]),
  tarGz: source(1, "x.tar.gz", async () => [gzipSync(await tar())]),
  idx: source(3, "train-images-idx3-ubyte", async (place) => {
    writeFileSync(
      join(place, "train-labels-idx1-ubyte"),
      Buffer.from([0, 0, 8, 1, 0, 0, 0, 3, 1, 2, 3]),
    );
    return [idx(3, 8)];
  }),
  idxLabels: source(3, "train-labels-idx1-ubyte", async (place) => {
    writeFileSync(join(place, "train-images-idx3-ubyte"), idx(3, 8));
    return [Buffer.from([0, 0, 8, 1, 0, 0, 0, 3, 1, 2, 3])];
  }),
  idxGz: source(1, "train-images-idx3-ubyte.gz", async () => [gzipSync(idx(3, 8))]),
  cifar: source(2, "data_batch_1.bin", async () => [Buffer.alloc(2 * 3073, 5)]),
  labelsCsv: source(3, "labels.csv", async (place) => {
    for (const i of [1, 2, 3]) await pictureFile(place, i);
    return [Buffer.from(labels)];
  }),
  manifest: source(
    3,
    "manifest.jsonl",
    async (place) => {
      for (const i of [1, 2, 3]) await pictureFile(place, i);
      return [
        Buffer.from('{"path":"1.png","label":"cat","box":[0,0,4,4]}\n{"path":"2.png","label":3}\n'),
      ];
    },
    mutateLines,
  ),
  boxes: source(
    3,
    "boxes.json",
    async (place) => {
      for (const i of [1, 2, 3]) await pictureFile(place, i);
      return jsonOf(
        { boxes: { "1.png": [0, 0, 3, 3], "2.png": [1, 1, 2, 2] } },
        { format: "xywh", boxes: { "1.png": [0, 0, 4, 4] } },
      );
    },
    mutateJson,
  ),
  png: images("png", (image) => image.png()),
  jpeg: images("jpg", (image) => image.jpeg()),
  webp: images("webp", (image) => image.webp()),
  gif: images("gif", (image) => image.gif()),
  tiff: images("tiff", (image) => image.tiff()),
  exif: bytes(
    30,
    async () => {
      const plain = await picture(8)
        .withExif({ IFD2: { DateTimeOriginal: "2020:01:02 03:04:05" } })
        .jpeg()
        .toBuffer();
      const { exif } = await sharp(plain).metadata();
      return [exif];
    },
    (input) => exifTime(input),
  ),
  onnx: file(
    0.2,
    "x.onnx",
    async () => [onnxModel()],
    async (path) => {
      const opened = await openOnnxEncoder(path, stated, { threads: 1 });
      await opened.embed({ count: 2, fill: () => undefined }).finally(() => opened.dispose());
    },
  ),
  onnxTrained: file(
    4,
    "x.onnx",
    async () => [onnxModel()],
    (path) => inference.loadEncoder(path, stated),
  ),
  statedInput: file(
    4,
    "x.onnx",
    async () => jsonOf(stated, { ...stated, output: "features" }),
    async (path, folder) => {
      const place = join(folder, "none"); // what was stated is read before the model
      writeFileSync(place, "");
      const facts = { encoder: place, encoderHash: "h", stated: readFileSync(path, "utf8") };
      await openEncoderOf(facts, {}).catch((error) => {
        if (!/metadata|safetensors/.test(error.message)) throw error;
      });
    },
    mutateJson,
  ),
  hubConfig: file(
    6,
    "config.json",
    async (folder) => {
      const { parameters, statistics } = resnet(
        { width: 4, blocks: [1, 1, 1, 1] },
        { imageSize: 96 },
      ).init(0);
      const bare = files.encodeSafetensors({ ...parameters, ...statistics }, { format: "pt" });
      writeFileSync(join(folder, "model.safetensors"), bare);
      const input = { input_size: [3, 96, 96], mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };
      return jsonOf({
        architecture: "resnet18",
        pretrained_cfg: { ...input, crop_pct: 0.9, interpolation: "bicubic", license: "mit" },
      });
    },
    (path) => inference.loadEncoder(dirname(path)),
    mutateJson,
  ),
  shardIndex: file(
    8,
    "model.safetensors.index.json",
    async (folder) => {
      writeFileSync(join(folder, "a.safetensors"), weights);
      return jsonOf({
        metadata: { total_size: 9 },
        weight_map: { "conv1.weight": "a.safetensors" },
      });
    },
    (path) => files.readShards(path),
    mutateJson,
  ),
  cifarNames: source(3, "batches.meta.txt", async (place) => {
    writeFileSync(join(place, "data_batch_1.bin"), Buffer.alloc(2 * 3073, 5));
    return [Buffer.from("air\nboat\ncar\ndog\nelk\nfox\n")];
  }),
  duckdb: file(
    0.3,
    "t.duckdb",
    async (folder) => {
      const [parquet, path] = [join(folder, "t.parquet"), join(folder, "t.duckdb")];
      await store.writeEmbeddings({ parquet }, embeddings);
      await store.buildDuckdb(parquet, path);
      return [readFileSync(path)];
    },
    async (path) => {
      const opened = await store.duckdbStore(path);
      try {
        await opened.search(vectors(1, opened.dimension), { k: 2 });
        await opened.vectorOf("0.png");
      } finally {
        await opened.close();
      }
    },
  ),
};

async function pictureFile(place, i) {
  const path = join(place, `${i}.png`);
  writeFileSync(path, await picture(8, i).png().toBuffer());
  return path;
}
