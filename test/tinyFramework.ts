import { type HostArray, type HostTree } from "../src/core/arrays.ts";
import { randomStream } from "../src/core/random.ts";
import { compile } from "../src/engine/index.ts";
import { createFramework, type FrameworkConfig } from "../src/frameworks/createFramework.ts";
import type { Framework, LoadedBatch } from "../src/frameworks/framework.ts";
import type { HostState } from "../src/frameworks/model/state.ts";

/** A framework small enough for the interpreter, of parts that a test may name in any way. */
export function tinyFramework(
  config: Partial<Record<keyof FrameworkConfig, unknown>> = {},
): Framework {
  const whole = {
    encoder: { name: "resnet", width: 2, blocks: [1] },
    head: { name: "mlp", dimension: 4 },
    batchSize: 4,
    imageSize: 4,
    datasetSize: 16,
    seed: 3,
    ...config,
  };
  return createFramework(whole as FrameworkConfig);
}

/** Random images of a seed, ids and groups counted from `first`; view v is the crop of 2 × 2 pixels at (v, 0). */
export function someBatch(framework: Framework, seed: number, first = 0): LoadedBatch {
  const { views } = framework.batchSpec;
  const stream = randomStream(seed, "test");
  const size = views.shape.reduce((product, n) => product * n, 1);
  const count = Int32Array.from({ length: framework.batchSize }, (_, i) => first + i);
  return {
    views: Float32Array.from({ length: size }, () => stream.normal()),
    ids: count,
    groups: count.slice(),
    crops: () =>
      Float32Array.from({ length: 4 * views.shape[0] }, (_, i) =>
        i % 4 === 0 ? Math.floor(i / 4 / framework.batchSize) : [0, 0, 2, 2][i % 4],
      ),
  };
}

/** Metrics of a step as plain numbers. */
export type Numbers = Record<string, number>;

/** A runner of steps on a device; `reference` is jax-js itself. */
export async function stepper(framework: Framework, device = "reference") {
  const example = [framework.init(), framework.batch(someBatch(framework, 0), zeroRate)];
  const program = await compile(framework.step, example, { device });
  return async (state: HostState, loaded: LoadedBatch, learningRate = 0.05, step = 0) => {
    const batch = framework.batch(loaded, { learningRate, step, progress: 0.5 });
    const result = (await program.run(state, batch)) as [HostTree, HostTree];
    return { state: result[0] as unknown as HostState, metrics: numbersOf(result[1]) };
  };
}

const zeroRate = { learningRate: 0, step: 0, progress: 0 };

function numbersOf(tree: HostTree): Numbers {
  return Object.fromEntries(
    Object.entries(tree).map(([name, value]) => [name, (value as HostArray).data[0]]),
  );
}
