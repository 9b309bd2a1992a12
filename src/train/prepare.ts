import { sizeOf } from "../core/arrays.ts";
import { randomStream } from "../core/random.ts";
import type { Framework, HostState, LoadedBatch } from "../frameworks/index.ts";
import type { Stepper } from "./stepper.ts";

const LONGEST_MS = 6000;
const STEPS = 4;

/** A batch of noise, the same on every rank. */
export function noiseBatch({ batchSpec, batchSize }: Framework): LoadedBatch {
  const stream = randomStream(0, "speed");
  const numbers = Int32Array.from({ length: batchSize }, (_, i) => i);
  const size = sizeOf(batchSpec.views.shape);
  const views = Float32Array.from({ length: size }, () => stream.uniform(-2, 2));
  return { views, ids: numbers, groups: numbers };
}

/**
 * Seconds that a step takes on this machine: the median of a few on random images. The state is read
 * only, so training starts from it as if nothing had been.
 */
export async function measureStep(
  stepper: Stepper,
  framework: Framework,
  state: HostState,
): Promise<number> {
  const batch = noiseBatch(framework);
  const times: number[] = [];
  const start = performance.now();
  for (let i = 0; i < STEPS && performance.now() - start < LONGEST_MS; i++) {
    const before = performance.now();
    const { state: after } = await stepper.step(state, batch, {
      learningRate: 0,
      step: 0,
      progress: 0,
    });
    stepper.recycle(after);
    times.push((performance.now() - before) / 1000);
  }
  const warm = times.length > 1 ? times.slice(1) : times; // the first also sets memory up
  return warm.sort((a, b) => a - b)[Math.floor(warm.length / 2)];
}
