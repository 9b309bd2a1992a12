import type { HostArray } from "../../core/arrays.ts";
import { compile, type Program, type TracedFunction } from "../../engine/index.ts";
import { type Framework, type HostState } from "../../frameworks/index.ts";
import { permutation, randomStream } from "../../core/random.ts";
import type { ViewBatch } from "../../views/index.ts";
import type { TrainingData } from "../dataset.ts";
import type { TrainListener } from "../events.ts";
import type { Target } from "../stepper.ts";
import type { HealthRecord } from "./records.ts";

/** Images of a batch that are looked at: a few tell as much as all. */
const LOOKED_AT = 64;

/** Steps of a run at which its health is looked at, counted from 0. */
export function isHealthDue(step: number, totalSteps: number): boolean {
  const every = Math.max(10, Math.ceil(totalSteps / 50));
  return step === 1 || step === 4 || (step > 0 && step % every === 0) || step === totalSteps - 1;
}

/** Mean and standard deviation of the values of some views. */
function spread(views: Float32Array, count: number): { viewMean: number; viewStd: number } {
  let [sum, squares] = [0, 0];
  for (let i = 0; i < count; i++) {
    sum += views[i];
    squares += views[i] * views[i];
  }
  const viewMean = sum / count;
  return { viewMean, viewStd: Math.sqrt(Math.max(0, squares / count - viewMean * viewMean)) };
}

/**
 * Mean absolute difference of two views of an image, over that of the first views of two images; undefined
 * where there is one view or one image.
 */
export function viewDifference({
  views,
  ids,
  sources,
}: Pick<ViewBatch, "views" | "ids" | "sources">) {
  const images = ids.length;
  const [viewCount, size] = [sources.length / images, views.length / sources.length];
  if (viewCount < 2 || images < 2) return undefined;
  const distance = (a: number, b: number) => {
    let sum = 0;
    for (let i = 0; i < size; i++) sum += Math.abs(views[a * size + i] - views[b * size + i]);
    return sum;
  };
  let [own, others] = [0, 0];
  for (let b = 0; b < Math.min(images, 16); b++) {
    own += distance(b, images + b);
    others += distance(b, (b + 1) % images);
  }
  return others > 0 ? own / others : 0;
}

type Weights = Pick<HostState, "encoder" | "head">;
const weightsOf = ({ encoder, head }: Weights): HostArray[] => [
  ...Object.values(encoder.parameters),
  ...Object.values(head.parameters),
];

/** ‖after − before‖ / ‖before‖ over all weights, and ‖after‖. */
export function weightChange(before: Weights, after: Weights) {
  let [change, length, size] = [0, 0, 0];
  const now = weightsOf(after);
  weightsOf(before).forEach(({ data }, k) => {
    const next = now[k].data;
    for (let i = 0; i < data.length; i++) {
      const step = Number(next[i]) - Number(data[i]);
      change += step * step;
      length += Number(data[i]) * Number(data[i]);
      size += Number(next[i]) * Number(next[i]);
    }
  });
  return { updateRatio: Math.sqrt(change / Math.max(length, 1e-30)), weightNorm: Math.sqrt(size) };
}

/** Share of the rows of a queue that differ between two states; undefined where there is no queue. */
export function queueTurnover(before: HostState, after: HostState): number | undefined {
  const name = Object.keys(before.memory ?? {}).find((key) => /^keys\d*$/.test(key));
  if (name === undefined) return undefined;
  const [old, now] = [before.memory![name], after.memory![name]];
  const [rows, width] = old.shape;
  let changed = 0;
  for (let r = 0; r < rows; r++) {
    if (now.data[r * width] !== old.data[r * width]) changed++;
  }
  return changed / rows;
}

/** Rows of a view-major array with its images in another order: image `order[b]` in place b. */
function reordered({ data, shape }: HostArray, order: Uint32Array): HostArray {
  const [rows] = shape;
  const [images, width] = [order.length, data.length / rows];
  const moved = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) {
    const from = row - (row % images) + order[row % images];
    moved.set(data.subarray(from * width, (from + 1) * width), row * width);
  }
  return { dtype: "float32", shape, data: moved };
}

/**
 * How far embeddings [2B, E] move when the same images stand in another order, over how far they lie apart, and
 * the cosine of these moves of the two views of an image. `b` is `a` with its rows put back in their places.
 */
export function companionEffect(a: HostArray, b: HostArray) {
  const [rows, width] = a.shape;
  const images = rows / 2;
  let [both, first, second, apart] = [0, 0, 0, 0];
  for (let i = 0; i < images; i++) {
    for (let e = 0; e < width; e++) {
      const at = i * width + e;
      const other = (i + images) * width + e;
      const [p, q] = [
        Number(a.data[at]) - Number(b.data[at]),
        Number(a.data[other]) - Number(b.data[other]),
      ];
      both += p * q;
      first += p * p;
      second += q * q;
      apart += (Number(a.data[at]) - Number(a.data[((i + 1) % images) * width + e])) ** 2;
    }
  }
  return {
    companionShift: Math.sqrt(first / Math.max(apart, 1e-30)),
    companionAlignment: both / Math.max(Math.sqrt(first * second), 1e-30),
  };
}

/** Share of the images of a set that were put into a group with another one. */
function duplicateShare({ pixels, count }: Pick<TrainingData, "pixels" | "count">): number {
  const { groups } = pixels;
  if (groups === undefined || count === 0) return 0;
  const sizes = new Map<number, number>();
  for (let i = 0; i < count; i++) sizes.set(groups[i], (sizes.get(groups[i]) ?? 0) + 1);
  let alike = 0;
  for (const size of sizes.values()) if (size > 1) alike += size;
  return alike / count;
}

/** Looks at a run between steps. */
export type HealthProbe = {
  look(step: {
    before: HostState;
    after: HostState;
    batch: ViewBatch;
    at: Pick<HealthRecord, "epoch" | "step" | "elapsedSeconds">;
  }): Promise<HealthRecord>;
  dispose(): Promise<void>;
};

/** Rows of the first two views of a batch. */
const firstTwo = ({ data, shape }: HostArray, { ids }: ViewBatch): HostArray => {
  const rows = 2 * ids.length;
  const part = data.subarray(0, (data.length / shape[0]) * rows);
  return { dtype: "float32", shape: [rows, shape[1]], data: part };
};

const modelOf = ({ encoder, head }: HostState) => ({ encoder, head });

/** Only where a batch is normalised in parts; elsewhere the other images of a part are all of the batch. */
function companionLook(
  { embedParts, batchSpec }: Framework,
  target: Target,
  listener: TrainListener,
) {
  const { views } = batchSpec;
  let opening: Promise<Program> | undefined;
  const open = (state: HostState) => {
    listener({ kind: "compiling", what: "the look at batch statistics" });
    return compile(embedParts as TracedFunction, [modelOf(state), views], target);
  };
  return {
    async look(state: HostState, batch: ViewBatch) {
      if (embedParts === undefined) return {};
      const program = await (opening ??= open(state));
      const run = async (images: HostArray) =>
        (await program.run(modelOf(state), images)) as HostArray;
      const given = { dtype: "float32", shape: views.shape, data: batch.views } as HostArray;
      const order = permutation(randomStream(1, "companions"), batch.ids.length);
      const back = new Uint32Array(order.length);
      order.forEach((from, to) => (back[from] = to));
      const moved = reordered(await run(reordered(given, order)), back);
      return companionEffect(firstTwo(await run(given), batch), firstTwo(moved, batch));
    },
    dispose: async () => void (await (await opening)?.dispose()),
  };
}

/** Opens the probe of a run; a program is compiled only where batches are normalised in parts. */
export function openHealthProbe(
  framework: Framework,
  data: Pick<TrainingData, "pixels" | "count">,
  target: Target,
  listener: TrainListener,
): HealthProbe {
  const count = Math.min(LOOKED_AT, framework.batchSize);
  const alike = duplicateShare(data);
  const companions = companionLook(framework, target, listener);
  return {
    async look({ before, after, batch, at }) {
      const values = Math.min(
        batch.views.length,
        count * (batch.views.length / batch.sources.length),
      );
      const difference = viewDifference(batch);
      const turnover = queueTurnover(before, after);
      const companion = await companions.look(after, batch);
      return {
        kind: "health",
        epoch: at.epoch,
        step: at.step,
        ...spread(batch.views, values),
        ...(difference === undefined ? {} : { viewDifference: difference }),
        ...weightChange(before, after),
        ...companion,
        ...(turnover === undefined ? {} : { queueTurnover: turnover }),
        duplicateShare: alike,
        elapsedSeconds: at.elapsedSeconds,
      };
    },
    dispose: () => companions.dispose(),
  };
}
