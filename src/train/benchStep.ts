import { type HostArray, hostArray, type HostTree, sizeOf } from "../core/arrays.ts";
import { ConfigError } from "../core/errors.ts";
import { randomStream } from "../core/random.ts";
import { compile, defaultThreads } from "../engine/index.ts";
import { createFramework } from "../methods/index.ts";

/** What is measured: a SimCLR step on random images. */
export type StepBenchOptions = {
  encoder?: string;
  /** Channels of the first stage. */
  width?: number;
  blocks?: readonly number[];
  /** Images in the batch tensor: both views together. Even. */
  batch?: number;
  /** Side of an image in pixels. */
  size?: number;
  /** Steps that are timed, after one that is not. */
  steps?: number;
  threads?: number;
  device?: string;
};

/** Times of a step, and images per second at the median. */
export type StepBenchResult = {
  imagesPerSecond: number;
  medianMs: number;
  bestMs: number;
  compileMs: number;
  /** Resident memory after the steps. */
  residentMiB: number;
  device: string;
  threads: number;
  choices: Record<string, string>;
};

function normalImages(shape: readonly number[]): HostArray<"float32"> {
  const stream = randomStream(0, "bench", "step");
  const data = Float32Array.from({ length: sizeOf(shape) }, () => stream.normal());
  return hostArray("float32", shape, data);
}

function benchFramework(options: StepBenchOptions) {
  const { encoder = "resnet", width = 64, blocks = [2, 2, 2, 2], batch = 64, size = 32 } = options;
  if (!Number.isInteger(batch / 2) || batch < 2) {
    throw new ConfigError(`bench step: batch is ${batch}, expected an even number of at least 2`);
  }
  const shaped = encoder === "resnet" ? { width, blocks: [...blocks] } : {};
  return createFramework({
    framework: "simclr",
    encoder: { name: encoder, ...shaped },
    head: { name: "mlp", bias: false },
    loss: { name: "infoNce", temperature: 0.5 },
    optimiser: { name: "sgd", momentum: 0.9, weightDecay: 0 },
    batchSize: batch / 2,
    imageSize: size,
    datasetSize: Math.max(1000, batch),
    metrics: false,
  });
}

/**
 * Times whole training steps: a residual network for small images with batch normalisation, a
 * projection head of two layers without biases, NT-Xent at temperature 0.5 and SGD with momentum
 * 0.9, on random images; forward, backward and update, without making views.
 */
export async function benchStep(options: StepBenchOptions = {}): Promise<StepBenchResult> {
  const framework = benchFramework(options);
  const { batch = 64, steps = 10, threads = defaultThreads(), device = "cpu" } = options;
  const begin = performance.now();
  const specs = { state: framework.init() as unknown as HostTree, batch: framework.batchSpec };
  const program = await compile(framework.step, [specs.state, specs.batch], { device, threads });
  const compileMs = performance.now() - begin;
  const views = normalImages(framework.batchSpec["views"].shape);
  const ids = Int32Array.from({ length: batch / 2 }, (_, i) => i);
  const loaded = { views: views.data, ids, groups: ids.slice() };
  let state = specs.state;
  const times: number[] = [];
  for (let step = 0; step <= steps; step++) {
    const arrays = framework.batch(loaded, { learningRate: 0.1, step });
    const start = performance.now();
    const [next, metrics] = (await program.run(state, arrays)) as [HostTree, HostTree];
    if (step > 0) times.push(performance.now() - start);
    program.recycle(metrics);
    if (step > 0) program.recycle(state);
    state = next;
  }
  await program.dispose();
  times.sort((a, b) => a - b);
  const middle = times.length >> 1;
  const medianMs = times.length % 2 ? times[middle] : (times[middle - 1] + times[middle]) / 2;
  const { choices } = program;
  return {
    imagesPerSecond: Number(((1e3 * batch) / medianMs).toFixed(1)),
    medianMs: Number(medianMs.toFixed(1)),
    bestMs: Number(times[0].toFixed(1)),
    compileMs: Math.round(compileMs),
    residentMiB: Math.round(process.memoryUsage.rss() / 2 ** 20),
    device: program.device,
    threads,
    choices,
  };
}
