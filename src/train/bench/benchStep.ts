import { randomStream } from "../../core/random.ts";
import { type ChosenParts, createFramework } from "../../frameworks/index.ts";
import type { Named } from "../../config/schema.ts";
import { openStepper } from "../stepper.ts";

/** What is timed. */
export type BenchStepOptions = {
  readonly method: string;
  readonly encoder: Named;
  readonly batch: number; // images in the batch tensor: all views
  readonly size: number; // pixels
  readonly steps: number;
  readonly device: string;
  readonly threads: number;
};

/** Times of a training step. */
export type StepRate = {
  readonly imagesPerSecond: number; // images of the batch tensor, at the median
  readonly medianMs: number;
  readonly bestMs: number;
  readonly compileSeconds: number; // with timing of alternatives where this machine has not done it yet
};

/**
 * Times whole training steps on random images: encoder, head of two linear layers without bias, InfoNCE
 * at temperature 0.5, SGD with momentum 0.9; one step first that is not counted. Metrics beside the loss
 * are left out, as a plain training step would.
 */
export async function benchStep(options: BenchStepOptions): Promise<StepRate> {
  const { method, encoder, batch, size, steps, device, threads } = options;
  const views = method === "instDisc" ? 1 : 2;
  const batchSize = batch / views;
  const framework = createFramework({
    ...({ framework: method, encoder } as ChosenParts), // by names from outside
    head: { name: "mlp", bias: false },
    loss: { temperature: 0.5 },
    optimiser: { name: "sgd", momentum: 0.9 },
    batchSize,
    imageSize: size,
    datasetSize: Math.max(batchSize, 4096),
    metrics: false,
  });
  const started = performance.now();
  let state = framework.init();
  const stepper = await openStepper(framework, state, { batchSize }, { device, threads });
  const compileSeconds = (performance.now() - started) / 1000;
  const stream = randomStream(0, "bench");
  const pixels = Float32Array.from({ length: batch * 3 * size * size }, () => stream.normal());
  const ids = Int32Array.from({ length: batchSize }, (_, i) => i);
  const times: number[] = [];
  for (let step = 0; step <= steps; step++) {
    const before = performance.now();
    const done = await stepper.step(
      state,
      { views: pixels, ids, groups: ids },
      { learningRate: 0.1, step, progress: 0.5 },
    );
    stepper.recycle(state);
    state = done.state;
    if (step > 0) times.push(performance.now() - before);
  }
  await stepper.dispose();
  times.sort((a, b) => a - b);
  const medianMs = (times[(times.length - 1) >> 1] + times[times.length >> 1]) / 2;
  const round = (value: number, digits: number) => Number(value.toFixed(digits));
  return {
    imagesPerSecond: round((batch / medianMs) * 1000, 1),
    medianMs: round(medianMs, 2),
    bestMs: round(times[0], 2),
    compileSeconds: round(compileSeconds, 2),
  };
}
