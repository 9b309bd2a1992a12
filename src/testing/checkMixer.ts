import { numpy as np } from "@jax-js/jax";

import type { HostArray, HostRecord, HostTree } from "../core/arrays.ts";
import { l2Normalize } from "../core/numerics.ts";
import { randomStream } from "../core/random.ts";
import { type ArrayRecord, differentiate } from "../core/trees.ts";
import type { Mixer } from "../sampling/index.ts";
import { evaluate, float32, float64, numbers, rowsOf, shaped } from "./arrays.ts";
import { type Breaches, checkDevices } from "./breaches.ts";
import { keyAndQueue } from "./scene.ts";

const [N, K, E] = [4, 16, 6]; // anchors, rows of a queue, width
const pairs = keyAndQueue(N, 1 + K);
pairs.negative[2].fill(0, 1, 12); // few negatives
pairs.negative[3].fill(0); // none

function normals(count: number, seed: number): number[] {
  const draw = randomStream(seed, "rows");
  return Array.from({ length: count }, () => draw.normal());
}

const anchorRows = (): number[] => {
  const values = normals(N * E, 1);
  return Array.from({ length: N }, (_, i) => values.slice(i * E, (i + 1) * E)).flatMap((row) =>
    row.map((value) => value / Math.hypot(...row)),
  );
};

type Given = { mixed: { similarity: HostArray; negative: HostArray; metrics: HostRecord } };
type Rest = [np.Array, np.Array, ArrayRecord];

/** Cosines of anchors with keys (column 0) and a queue, mixed. */
const traced =
  (mixer: Mixer, options: Record<string, unknown>) =>
  (anchors: np.Array, ...[queue, active, drawn]: Rest) => {
    const { dtype } = anchors;
    const rows = l2Normalize(queue); // [K, E]
    const own = anchors.ref.mul(rows.ref.slice([0, N])).sum(-1, { keepdims: true }); // [N, 1]
    const similarity = np.concatenate([own, np.matmul(anchors.ref, rows.ref.transpose())], 1);
    const scene = { anchors, rows, offset: 1, similarity, active, inputs: drawn };
    const before = {
      positive: np.array(pairs.positive, { dtype }),
      negative: np.array(pairs.negative, { dtype }),
    };
    const mixed = mixer.apply(scene, before, options);
    const lent = [anchors, rows, similarity, active, ...Object.values(drawn)];
    const used = lent.map((array) => array.ref.astype(dtype).sum());
    return { mixed: { ...mixed, metrics: mixed.metrics ?? {} }, used };
  };

function argumentsOf(
  mixer: Mixer,
  options: Record<string, unknown>,
  array: typeof float32 | typeof float64,
  active: number,
): HostTree[] {
  const sizes = { anchors: N, candidates: 1 + K, images: N, datasetSize: 100, width: E };
  const at = { progress: 0.6, stream: randomStream(9) };
  const inputs = mixer.inputs?.(options, sizes).make(at) ?? {};
  const rows = [array([N, E], anchorRows()), array([K, E], normals(K * E, 2))];
  return [...rows, array([], [active]), inputs];
}

function checkGiven({ must }: Breaches, mixer: Mixer, { mixed }: Given): void {
  const { similarity, negative, metrics } = mixed;
  const shapes = [similarity.shape.join(), negative.shape.join()];
  must(
    shapes[0] === shapes[1] && similarity.shape[0] === N,
    "gives other shapes than [N, S] twice",
  );
  must(
    numbers(similarity).every((value) => Math.abs(value) <= 1 + 1e-5),
    "gives a similarity that is no cosine",
  );
  must(
    numbers(negative).every((weight) => Number.isFinite(weight) && weight >= 0),
    "gives a weight that is not finite or below 0",
  );
  const totals = rowsOf(negative).map((row) => row.reduce((sum, weight) => sum + weight, 0));
  must(totals[0] > 0 && totals[1] > 0, "gives an anchor with many negatives no candidate");
  must(totals[3] === 0, "gives an anchor without negatives a candidate");
  const declared = Object.keys(mixer.metrics).sort().join();
  must(Object.keys(metrics).sort().join() === declared, "reports other metrics than it declares");
  must(
    Object.values(metrics).flatMap(numbers).every(Number.isFinite),
    "reports what is not finite",
  );
}

/** Slopes of a similarity at its anchor are the synthetic row itself: of unit length, with that cosine. */
async function checkSlopes(
  noted: Breaches,
  mixer: Mixer,
  options: Record<string, unknown>,
): Promise<void> {
  const args = argumentsOf(mixer, options, float64, 1);
  const apply = traced(mixer, options);
  const { similarity } = shaped<Given>(await evaluate(apply, ...args)).mixed;
  for (const column of [0, similarity.shape[1] - 1]) {
    // one synthetic candidate an anchor, so that the slopes of each are told apart
    const objective = ({ q }: { q: np.Array }, ...rest: Rest): [np.Array, ArrayRecord] => {
      const all = apply(q, ...rest).mixed.similarity; // [N, S]
      const chosen = np.arange(all.shape[1]).equal(column).astype(all.dtype); // [S]
      return [all.mul(chosen).sum(), {}];
    };
    const slope = await evaluate(
      (q: np.Array, ...rest: Rest) => differentiate(objective)({ q }, ...rest).gradient.q,
      ...args,
    );
    for (const i of [0, 1]) {
      const [row, anchor] = [rowsOf(slope)[i], rowsOf(args[0])[i]];
      const cosine = row.reduce((sum, value, at) => sum + value * anchor[at], 0);
      const isRow =
        Math.abs(Math.hypot(...row) - 1) < 1e-6 &&
        Math.abs(cosine - rowsOf(similarity)[i][column]) < 1e-6;
      noted.must(isRow, "the slope of a similarity at its anchor is not the synthetic row");
    }
  }
}

/** Notes what breaks the contract of a mixer. */
export async function checkMixer(
  noted: Breaches,
  mixer: Mixer,
  options: Record<string, unknown>,
): Promise<void> {
  const [apply, args] = [traced(mixer, options), argumentsOf(mixer, options, float32, 1)];
  const precise = argumentsOf(mixer, options, float64, 1);
  const given = shaped<Given>(await checkDevices(noted, apply, args, precise));
  checkGiven(noted, mixer, given);
  const early = await evaluate(apply, ...argumentsOf(mixer, options, float32, 0));
  const { negative } = shaped<Given>(early).mixed;
  noted.must(!numbers(negative).some(Boolean), "mixes before its warm-up is over");
  if (noted.found.length === 0) await checkSlopes(noted, mixer, options);
}
