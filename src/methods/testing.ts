import { type HostArray, hostArray, type HostTree, isHostArray } from "../core/arrays.ts";
import { randomStream } from "../core/random.ts";
import { compile } from "../engine/index.ts";
import { createFramework, type FrameworkConfig } from "./createFramework.ts";
import type { Framework, HostState, LoadedBatch } from "./framework.ts";

/** A framework small enough for the interpreter. For tests. */
export function tinyFramework(config: Partial<FrameworkConfig> = {}): Framework {
  return createFramework({
    encoder: { name: "resnet", width: 2, blocks: [1], stem: "small", normalisation: "batch" },
    head: { name: "mlp", dimension: 4 },
    batchSize: 4,
    imageSize: 4,
    datasetSize: 16,
    seed: 3,
    ...config,
  } as FrameworkConfig);
}

/** Random images of a seed, ids and groups counted from `first`. For tests. */
export function someBatch(framework: Framework, seed: number, first = 0): LoadedBatch {
  const { views, ids } = framework.batchSpec;
  const stream = randomStream(seed, "test");
  const size = views.shape.reduce((product, n) => product * n, 1);
  const count = Int32Array.from({ length: ids.shape[0] }, (_, i) => first + i);
  return {
    views: Float32Array.from({ length: size }, () => stream.normal()),
    ids: count,
    groups: count.slice(),
  };
}

/** Metrics of a step as plain numbers. For tests. */
export type Numbers = Record<string, number>;

/** A runner of steps on a device; `reference` is jax-js itself. For tests. */
export async function stepper(framework: Framework, device = "reference") {
  const example = [framework.init(), framework.batch(someBatch(framework, 0), zeroRate)];
  const program = await compile(framework.step as never, example, { device });
  return async (state: HostState, loaded: LoadedBatch, learningRate = 0.05, step = 0) => {
    const batch = framework.batch(loaded, { learningRate, step });
    const result = (await program.run(state, batch)) as [HostTree, HostTree];
    return { state: result[0] as unknown as HostState, metrics: numbersOf(result[1]) };
  };
}

const zeroRate = { learningRate: 0, step: 0 };

function numbersOf(tree: HostTree): Numbers {
  return Object.fromEntries(
    Object.entries(tree).map(([name, value]) => [name, (value as HostArray).data[0]]),
  );
}

/** Compiles and runs once on jax-js itself. For tests. */
export async function evaluate(f: (...args: never[]) => unknown, ...args: HostTree[]) {
  const program = await compile(f, args, { device: "reference" });
  const result = await program.run(...args);
  await program.dispose();
  return result;
}

/** A float32 array of numbers. For tests. */
export const float32 = (shape: number[], values: readonly number[]) =>
  hostArray("float32", shape, Float32Array.from(values));

/** An int32 array of numbers. For tests. */
export const int32 = (values: readonly number[]) =>
  hostArray("int32", [values.length], Int32Array.from(values));

/** Elements of an array as plain numbers. For tests. */
export function numbers(tree: HostTree): number[] {
  if (!isHostArray(tree)) throw new Error("expected one array");
  return Array.from(tree.data);
}
