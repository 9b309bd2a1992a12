import { numpy as np } from "@jax-js/jax";

import type { HostArray, HostRecord, HostTree } from "../core/arrays.ts";
import type { Pairs } from "../core/pairs.ts";
import { randomStream } from "../core/random.ts";
import { type ArrayRecord, differentiate } from "../core/trees.ts";
import type { Sampler, Sizes } from "../sampling/index.ts";
import { evaluate, float32, float64, numbers, rowsOf, shaped } from "./arrays.ts";
import { type Breaches, checkDevices, elements, isClose } from "./breaches.ts";
import { type GivenScene, type Rows, sceneOf, viewsOfImages } from "./scene.ts";

type Setting = {
  sizes: Sizes;
  scene: Omit<GivenScene, "similarity" | "state" | "inputs" | "active">;
  similarity: number[];
  pairs: { positive: Rows; negative: Rows };
};

const list = <T>(count: number, entry: (i: number) => T) =>
  Array.from({ length: count }, (_, i) => entry(i));

const IMAGES = 4;

/** Four views of four images against each other, in three classes, one image of unknown label. */
function viewSetting(): Setting {
  const n = 4 * IMAGES;
  const stream = randomStream(5, "samplers");
  const marks = {
    ids: list(n, (i) => i % IMAGES),
    groups: list(n, (i) => [3, -1, 3, -1][i % IMAGES]),
    labels: list(n, (i) => [0, 0, 1, -1][i % IMAGES]),
  };
  return {
    sizes: { anchors: n, candidates: n, images: IMAGES, datasetSize: 20, width: 4 },
    similarity: list(n * n, () => Math.fround(stream.uniform(-1, 1))),
    scene: {
      views: 4,
      anchors: marks,
      candidates: marks,
      overlaps: list(3, () => list(n, () => Math.fround(stream.uniform(0, 1)))),
    },
    pairs: viewsOfImages(n, 4),
  };
}

/** Four anchors against a bank of 16 images, each with its own row. */
function bankSetting(): Setting {
  const [n, m] = [4, 16];
  const stream = randomStream(6, "samplers");
  const own = list(n, (i) => 3 * i);
  const positive = own.map((at) => list(m, (j) => Number(j === at)));
  return {
    sizes: { anchors: n, candidates: m, images: n, datasetSize: m, width: 4 },
    scene: {
      anchors: { ids: own, labels: list(n, (i) => i % 2) },
      candidates: { ids: list(m, (j) => j), labels: list(m, (j) => j % 3) },
      ownViews: [positive],
      overlaps: [list(n, () => 0.5)],
      pool: m - 1,
    },
    similarity: list(n * m, () => Math.fround(stream.uniform(-1, 1))),
    pairs: { positive, negative: positive.map((row) => row.map((w) => 1 - w)) },
  };
}

/** The views of images in another order: row r holds what row `from[r]` held. */
function reordered({ scene, similarity, ...rest }: Setting, from: readonly number[]): Setting {
  const n = from.length;
  const moved = <T>(values: readonly T[]) => from.map((at) => values[at]);
  const marks = Object.fromEntries(
    Object.entries(scene.anchors!).map(([name, values]) => [name, moved(values)]),
  );
  return {
    ...rest,
    similarity: from.flatMap((i) => from.map((j) => similarity[i * n + j])),
    scene: { ...scene, anchors: marks, candidates: marks, overlaps: scene.overlaps!.map(moved) },
  };
}

type Given = {
  terms: Record<"positive" | "negative" | "weight", HostArray>[];
  metrics: HostRecord;
  state: HostRecord;
};

/** A sampler with its options in a setting: everything that it gives, as one tree of arrays. */
type Trial = { sampler: Sampler; options: Record<string, unknown>; setting: Setting };

const traced =
  ({ sampler, options, setting: { scene, pairs, sizes } }: Trial) =>
  (similarity: np.Array, active: np.Array, inputs: ArrayRecord, state: ArrayRecord) => {
    const { dtype } = similarity;
    const whole = { ...sceneOf({ ...scene, similarity, inputs, state }), active };
    const before: Pairs = {
      positive: np.array(pairs.positive, { dtype }),
      negative: np.array(pairs.negative, { dtype }),
    };
    const sampled = sampler.apply(whole, before, options);
    const terms = sampled.terms.map((term) => ({
      ...term.pairs,
      weight: term.weight ?? np.ones([sizes.anchors]).astype(dtype),
    }));
    // a use of an array that was consumed instead of lent throws here
    const lent = [
      ...[whole.similarity, whole.ranking, whole.support, ...whole.ownViews, whole.active],
      ...[...whole.ownIds, ...Object.values(whole.anchors), ...Object.values(whole.candidates)],
      ...Object.values(whole.inputs),
    ].map((array) => array.ref.astype(dtype).sum());
    return { terms, metrics: sampled.metrics ?? {}, state: sampled.state ?? {}, lent };
  };

function argumentsOf(
  { sampler, options, setting: { similarity, sizes } }: Trial,
  active: number,
  array: typeof float32 | typeof float64 = float32,
  state: HostRecord = sampler.state?.(options, sizes) ?? {},
): HostTree[] {
  const shape = [sizes.anchors, sizes.candidates];
  const at = { progress: 0.6, stream: randomStream(9) };
  const inputs = sampler.inputs?.(options, sizes).make(at) ?? {};
  return [array(shape, similarity), array([], [active]), inputs, state];
}

const run = async (trial: Trial, active = 1, state?: HostRecord) =>
  shaped<Given>(await evaluate(traced(trial), ...argumentsOf(trial, active, float32, state)));

const weightsOf = ({ terms }: Given) => terms.flatMap((term) => elements(term));

const kinds = (record: Readonly<Record<string, Pick<HostArray, "dtype" | "shape">>>) =>
  Object.entries(record)
    .map(([key, { dtype, shape }]) => `${key} ${dtype}[${shape.join(", ")}]`)
    .sort()
    .join(", ");

/** Arrays for a step are those announced, the same from the same stream. */
function checkInputs({ must }: Breaches, { sampler, options, setting }: Trial): void {
  const inputs = sampler.inputs?.(options, setting.sizes);
  if (inputs === undefined) return;
  const make = () => inputs.make({ progress: 0.3, stream: randomStream(1) });
  const announced = kinds(inputs.spec);
  must(
    kinds(make()) === announced,
    `makes the inputs ${kinds(make())}, announced are ${announced}`,
  );
  must(isClose(make(), make(), 0), "the same stream does not give the same inputs");
}

function checkGiven({ must }: Breaches, { sampler, options, setting }: Trial, given: Given): void {
  const { anchors: n, candidates: m } = setting.sizes;
  must(given.terms.length > 0, "gives no term");
  for (const { positive, negative, weight } of given.terms) {
    const shapes = [positive, negative, weight].map(({ shape }) => shape.join());
    const right = `${n},${m} ${n},${m} ${n}`;
    must(shapes.join(" ") === right, "gives weights that are not [N, M] and [N]");
  }
  must(
    weightsOf(given).every((weight) => Number.isFinite(weight) && weight >= 0),
    "gives a weight that is not finite or below 0",
  );
  for (const [name, value] of Object.entries(given.metrics)) {
    must(
      Object.hasOwn(sampler.metrics, name),
      `reports ${name}, which \`metrics\` does not declare`,
    );
    must(
      value.shape.length === 0 && Number.isFinite(numbers(value)[0]),
      `reports ${name}, which is no finite scalar`,
    );
  }
  const before = sampler.state?.(options, setting.sizes) ?? {};
  must(
    kinds(given.state) === kinds(before),
    `returns the state ${kinds(given.state) || "of nothing"}, expected ${kinds(before) || "none"}`,
  );
}

/** No pair comes from nothing, and each change has a word. */
function checkPairs({ must }: Breaches, { sampler, setting }: Trial, given: Given): void {
  const { dropped, promoted, demoted, weighted } = sampler.reasons;
  const largest = (side: "positive" | "negative") => {
    const all = given.terms.map((term) => rowsOf(term[side]));
    return (i: number, j: number) => Math.max(...all.map((rows) => rows[i][j]));
  };
  const [attracts, repels] = [largest("positive"), largest("negative")];
  const scaled = (from: number, to: number) => from > 0 && to > 0 && from !== to;
  const unsaid = (word: string) => `${word} a pair, for which \`reasons\` has no word`;
  setting.pairs.positive.forEach((row, i) => {
    row.forEach((own, j) => {
      const other = setting.pairs.negative[i][j];
      const [after, against] = [attracts(i, j), repels(i, j)];
      must(
        own + other > 0 || after + against === 0,
        "gives weight to a pair that had none, as the anchor with itself",
      );
      must(!(other > 0 && after > 0) || promoted !== undefined, unsaid("promotes"));
      must(!(other > 0 && after + against === 0) || dropped !== undefined, unsaid("drops"));
      must(!(own > 0 && after === 0) || demoted !== undefined, unsaid("demotes"));
      const isScaled = scaled(own, after) || scaled(other, against);
      must(!isScaled || weighted !== undefined, unsaid("weighs"));
    });
  });
}

/** Before the warm-up is over nothing changes. */
async function checkWarmup({ must }: Breaches, trial: Trial): Promise<void> {
  if (trial.sampler.gates) return;
  const [first, ...rest] = (await run(trial, 0)).terms;
  const { positive, negative } = trial.setting.pairs;
  const same = [...numbers(first.positive), ...numbers(first.negative)];
  const isOne = numbers(first.weight).every((weight) => weight === 1);
  const others = rest.flatMap(({ weight }) => numbers(weight));
  must(
    same.join() === [...positive.flat(), ...negative.flat()].join() &&
      isOne &&
      !others.some(Boolean),
    "changes pairs before its warm-up is over",
  );
}

async function checkGradient({ must }: Breaches, trial: Trial): Promise<void> {
  const apply = traced(trial);
  type Rest = [np.Array, ArrayRecord, ArrayRecord];
  const objective = ({ s }: { s: np.Array }, ...rest: Rest): [np.Array, ArrayRecord] => {
    const all = apply(s, ...rest).terms.flatMap((term) => Object.values(term));
    return [all.map((weights) => weights.sum()).reduce((sum, weight) => sum.add(weight)), {}];
  };
  const slope = await evaluate(
    (s: np.Array, ...rest: Rest) => differentiate(objective)({ s }, ...rest).gradient.s,
    ...argumentsOf(trial, 1),
  );
  must(
    numbers(slope).every((value) => value === 0),
    "lets a gradient through its weights: use lax.stopGradient",
  );
}

/** A run that is stopped goes on: the state that a step gave is all that the next one needs. */
async function checkResume({ must }: Breaches, trial: Trial, { state }: Given): Promise<void> {
  if (trial.sampler.state === undefined) return;
  const [once, again] = [await run(trial, 1, state), await run(trial, 1, structuredClone(state))];
  must(
    isClose(once, again, 0),
    "a step from the same state does not give the same: all that it remembers must be in its state",
  );
}

/** The images of a batch in another order get their weights in that order. */
async function checkOrder({ must }: Breaches, trial: Trial, given: Given): Promise<void> {
  const { sampler, options, setting } = trial;
  const drawn = sampler.inputs?.(options, setting.sizes).spec ?? {};
  const byPlace =
    sampler.state !== undefined || Object.values(drawn).some(({ shape }) => shape.length > 0);
  if (setting.scene.views === undefined || byPlace) return;
  const order = [2, 0, 3, 1];
  const from = list(setting.sizes.anchors, (i) => i - (i % IMAGES) + order[i % IMAGES]);
  const other = await run({ ...trial, setting: reordered(setting, from) });
  const same = given.terms.every(({ positive, negative }, t) =>
    [positive, negative].every((before, side) => {
      const after = rowsOf([other.terms[t].positive, other.terms[t].negative][side]);
      const rows = rowsOf(before);
      return after.every((row, i) =>
        row.every((weight, j) => Math.abs(weight - rows[from[i]][from[j]]) < 1e-5),
      );
    }),
  );
  must(same, "the order of the images in a batch changes more than the order of the weights");
}

/** Notes what breaks the contract of a sampler. */
export async function checkSampler(
  noted: Breaches,
  sampler: Sampler,
  options: Record<string, unknown>,
): Promise<void> {
  const setting = sampler.needs.includes("bank") ? bankSetting() : viewSetting();
  const trial = { sampler, options, setting };
  checkInputs(noted, trial);
  const args = argumentsOf(trial, 1);
  const precise = argumentsOf(trial, 1, float64);
  const given = shaped<Given>(await checkDevices(noted, traced(trial), args, precise));
  checkGiven(noted, trial, given);
  if (noted.found.length > 0) return;
  checkPairs(noted, trial, given);
  await checkWarmup(noted, trial);
  await checkGradient(noted, trial);
  await checkResume(noted, trial, given);
  await checkOrder(noted, trial, given);
}
