import { flattenTree } from "../../core/arrays.ts";
import { randomStream } from "../../core/random.ts";
import { type Framework, frameworkNamed } from "../../frameworks/index.ts";
import { openConfig } from "../../config/automatic.ts";
import type { ConfigTree, Named } from "../../config/schema.ts";
import { type MethodName, methods } from "../../config/methods.ts";
import { frameworkOf } from "../session.ts";
import { openStepper, type Stepper } from "../stepper.ts";

/** What is timed. */
export type BenchMethodsOptions = {
  readonly names: readonly MethodName[];
  readonly encoder: Named; // whose step the overhead is a share of
  readonly batch: number; // images
  readonly size: number; // pixels
  readonly queue: number; // keys, where a framework has a queue
  readonly images: number; // of the dataset: rows of a bank
  readonly rounds: number;
  readonly device: string;
  readonly threads: number;
  readonly note?: (text: string) => void;
};

/** What a method costs beside its framework with plain InfoNCE, at the same number of views. */
export type MethodCost = {
  readonly method: string;
  readonly base: string;
  /** Time of sampling and loss beyond the base's, as a share of the base's whole step. */
  readonly overhead: number;
  readonly overheadMs: number;
  /** Smallest and largest difference over the rounds, ms. */
  readonly spreadMs: readonly [number, number];
  readonly baseStepMs: number;
  /** Views of an image encoded with gradient, and without, in a step. */
  readonly passes: { readonly gradient: number; readonly forward: number };
  /** Passes beyond those of the framework with two views (one in instDisc). */
  readonly extraPasses: { readonly gradient: number; readonly forward: number };
  /** Memory that is kept between steps beyond the base's, MiB. */
  readonly extraStateMiB: number;
};

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
};

/** The framework that a method's is compared with: the same candidates and views, no samplers. */
function baseOf({ framework }: { framework: Named }): Named {
  const { name, ...options } = framework;
  return frameworkNamed(name)?.base?.(options) ?? framework;
}

type Sized = Pick<BenchMethodsOptions, "batch" | "size" | "queue" | "images">;

/** A method's config at the sizes of the benchmark. */
function configOf(method: MethodName, encoder: Named, sizes: Sized) {
  const { batch, size, queue, images } = sizes;
  const preset: ConfigTree = methods[method].config;
  const entry = frameworkNamed((preset.framework as Named).name);
  const queued = entry !== undefined && Object.hasOwn(entry.options.shape, "queueSize");
  const tree = {
    data: "none",
    method,
    encoder,
    batchSize: batch,
    imageSize: size,
    head: { dimension: 128 },
    ...(queued ? { framework: { queueSize: queue } } : {}),
  };
  return openConfig(tree, { images, shortSide: size, labelled: true }).config;
}

const plain = { loss: { name: "infoNce" }, samplers: [] as Named[] };

/** A batch of noise with labels of ten classes. */
function noiseBatch(framework: Framework, seed: number, images: number) {
  const stream = randomStream(seed, "bench");
  const size = framework.batchSpec.views.shape.reduce((product, side) => product * side, 1);
  const first = stream.integer(images);
  const ids = Int32Array.from({ length: framework.batchSize }, (_, i) => (first + i) % images);
  return {
    views: Float32Array.from({ length: size }, () => stream.normal()),
    ids,
    groups: ids,
    labels: ids.map((id) => id % 10),
  };
}

/** Times steps of a framework: each call one step, in ms. */
async function clockOf(
  framework: Framework,
  images: number,
  target: { device: string; threads: number },
) {
  let state = framework.init();
  const { batchSize } = framework;
  const stepper: Stepper = await openStepper(framework, state, { batchSize }, target);
  const batches = [0, 1].map((seed) => noiseBatch(framework, seed, images));
  let count = 0;
  return {
    tick: async (): Promise<number> => {
      const at = { learningRate: 0.01, step: count, progress: 0.9 };
      const before = performance.now();
      const done = await stepper.step(state, batches[count++ % 2], at);
      stepper.recycle(state);
      state = done.state;
      return performance.now() - before;
    },
    stateBytes: flattenTree({ ...state.memory, ...state.sampling }).reduce(
      (sum, [, { data }]) => sum + data.byteLength,
      0,
    ),
    close: () => stepper.dispose(),
  };
}

// so little that what is left of a step is sampling and loss
const nothing: Named = { name: "resnet", width: 1, blocks: [1] };
const TINY = 4; // pixels

/** Differences in ms of the steps of two frameworks on an encoder that costs nothing, alternating. */
async function difference(method: Framework, base: Framework, options: BenchMethodsOptions) {
  const clocks = [
    await clockOf(base, options.images, options),
    await clockOf(method, options.images, options),
  ];
  for (const { tick } of clocks) await tick(); // sets memory up
  const differences: number[] = [];
  for (let round = 0; round < options.rounds; round++) {
    const times = [];
    for (const { tick } of clocks) times.push(median([await tick(), await tick(), await tick()]));
    differences.push(times[1] - times[0]);
  }
  const [baseBytes, bytes] = clocks.map(({ stateBytes }) => stateBytes);
  await Promise.all(clocks.map(({ close }) => close()));
  return { differences, extraBytes: bytes - baseBytes };
}

async function stepMs(framework: Framework, options: BenchMethodsOptions): Promise<number> {
  const clock = await clockOf(framework, options.images, options);
  await clock.tick();
  const times = [];
  for (let i = 0; i < 3; i++) times.push(await clock.tick());
  await clock.close();
  return median(times);
}

/** `moco`, `simclr of 4 views`. */
const describeBase = ({ name, viewCount }: Framework): string =>
  viewCount > 2 ? `${name} of ${viewCount} views` : name;

const passesOf = ({ viewCount, queryViews }: Framework) => ({
  gradient: queryViews,
  forward: viewCount - queryViews,
});

/**
 * What each method costs beside its framework. Sampling and loss are timed apart from the encoder, since
 * their share drowns in the noise of whole steps: both frameworks run on an encoder that costs nothing,
 * in turn, and the difference is divided by a whole step of the base with the encoder asked for, timed once for
 * all bases of one framework and as many views.
 */
export async function benchMethods(options: BenchMethodsOptions): Promise<MethodCost[]> {
  const { note = () => undefined, images } = options;
  const whole = new Map<string, number>();
  const costs: MethodCost[] = [];
  for (const name of options.names) {
    note(`timing ${name}`);
    const tinySizes = { ...options, size: TINY };
    const tiny = configOf(name, nothing, tinySizes);
    const baseFramework = baseOf(tiny);
    const withBase = { ...tiny, ...plain, framework: baseFramework, mixer: undefined as never };
    const [method, base] = [frameworkOf(tiny, images), frameworkOf(withBase, images)];
    const { differences, extraBytes } = await difference(method, base, options);
    const key = `${describeBase(base)}, ${base.queryViews} queries`;
    if (!whole.has(key)) {
      note(`timing the whole step of ${describeBase(base)}`);
      const full = configOf(name, options.encoder, options);
      const fullBase = { ...full, ...plain, framework: baseFramework, mixer: undefined as never };
      whole.set(key, await stepMs(frameworkOf(fullBase, images), options));
    }
    const baseStepMs = whole.get(key)!;
    const overheadMs = median(differences);
    note(`${name} adds ${overheadMs.toFixed(1)} ms to ${baseStepMs.toFixed(0)}`);
    const passes = passesOf(method);
    const least = passesOf(frameworkOf({ ...withBase, framework: { name: base.name } }, images));
    costs.push({
      method: name,
      base: describeBase(base),
      overhead: Number((overheadMs / baseStepMs).toFixed(4)),
      overheadMs: Number(overheadMs.toFixed(2)),
      spreadMs: [Math.min(...differences), Math.max(...differences)].map((ms) =>
        Number(ms.toFixed(2)),
      ) as [number, number],
      baseStepMs: Number(baseStepMs.toFixed(1)),
      passes,
      extraPasses: {
        gradient: passes.gradient - least.gradient,
        forward: passes.forward - least.forward,
      },
      extraStateMiB: Number((extraBytes / 2 ** 20).toFixed(2)),
    });
  }
  return costs;
}
