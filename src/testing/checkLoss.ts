import type { numpy as np } from "@jax-js/jax";

import type { HostRecord, HostTree } from "../core/arrays.ts";
import type { Pairs } from "../core/pairs.ts";
import { randomStream } from "../core/random.ts";
import { differentiate } from "../core/trees.ts";
import type { Loss } from "../losses/index.ts";
import { evaluate, float32, float64, numbers } from "./arrays.ts";
import { type Breaches, checkDevices, isClose } from "./breaches.ts";

const [N, M] = [4, 5];
const stream = randomStream(3, "losses");
const similarity = Array.from({ length: N * M }, () => stream.uniform(-1, 1));
// the last anchor has no positive
const positive = [1, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0.5, 0, 0, 0, 0, 0, 0];
const negative = [0, 1, 1, 0, 1, 1, 0, 0, 1, 1, 1, 1, 2, 0, 0, 1, 1, 1, 1, 1];

type Floats = typeof float32 | typeof float64;
type PerAnchor = (s: np.Array, pairs: Pairs) => np.Array;

/** Arguments of a loss with elements taken from other places. */
const argumentsOf = (array: Floats, from = (at: number) => at): HostTree[] => {
  const moved = (values: readonly number[]) =>
    array(
      [N, M],
      values.map((_, at) => values[from(at)]),
    );
  return [moved(similarity), { positive: moved(positive), negative: moved(negative) }];
};

async function checkMeasure(
  { must }: Breaches,
  loss: Loss,
  options: Record<string, unknown>,
): Promise<void> {
  const measure = (s: np.Array, pairs: Pairs) => loss.measure(s, pairs, options);
  const measured = (await evaluate(measure, ...argumentsOf(float32))) as HostRecord;
  const declared = Object.keys(loss.metrics).sort().join();
  must(
    Object.keys(measured).sort().join() === declared,
    "measures other scalars than `metrics` says",
  );
  for (const [name, value] of Object.entries(measured)) {
    const [number] = numbers(value);
    const within =
      loss.metrics[name]?.includes("[0, 1]") === true ? number >= 0 && number <= 1 : true;
    must(value.shape.length === 0 && Number.isFinite(number), `${name} is no finite scalar`);
    must(within, `${name} is ${number}, outside of [0, 1]`);
  }
}

/** Rows in another order give their numbers in that order, columns in another order the same numbers. */
async function checkOrder({ must }: Breaches, perAnchor: PerAnchor, each: number[]): Promise<void> {
  const rows = await evaluate(
    perAnchor,
    ...argumentsOf(float32, (at) => (N - 1 - Math.floor(at / M)) * M + (at % M)),
  );
  must(
    isClose(rows, float32([N], each.toReversed())),
    "the order of the anchors changes more than the order of the numbers",
  );
  const columns = await evaluate(
    perAnchor,
    ...argumentsOf(float32, (at) => at - (at % M) + (M - 1 - (at % M))),
  );
  must(isClose(columns, float32([N], each)), "the order of the candidates changes the numbers");
}

/** The gradient beside central differences, in float64. */
async function checkGradient({ must }: Breaches, perAnchor: PerAnchor): Promise<void> {
  const step = 1e-4;
  const nudged = similarity.flatMap((_, at) =>
    [step, -step].map((by) => similarity.map((s, i) => (i === at ? s + by : s))),
  );
  // all nudged copies as more anchors of one call
  const shape = [nudged.length * N, M];
  const repeat = (values: number[]) =>
    float64(
      shape,
      nudged.flatMap(() => values),
    );
  const pairs = { positive: repeat(positive), negative: repeat(negative) };
  const each = numbers(await evaluate(perAnchor, float64(shape, nudged.flat()), pairs));
  const total = (copy: number) =>
    each.slice(copy * N, (copy + 1) * N).reduce((sum, value) => sum + value, 0);
  const differences = similarity.map((_, i) => (total(2 * i) - total(2 * i + 1)) / (2 * step));
  const objective = ({ s }: { s: np.Array }, weights: Pairs): [np.Array, Record<string, never>] => [
    perAnchor(s, weights).sum(),
    {},
  ];
  const gradient = await evaluate(
    (s: np.Array, weights: Pairs) => differentiate(objective)({ s }, weights).gradient.s,
    ...argumentsOf(float64),
  );
  must(
    isClose(gradient, float64([N, M], differences)),
    "the gradient is not what central differences give, to 1e-5",
  );
}

/** Notes what breaks the contract of a loss. */
export async function checkLoss(
  noted: Breaches,
  loss: Loss,
  options: Record<string, unknown>,
): Promise<void> {
  const { must } = noted;
  const perAnchor: PerAnchor = (s, pairs) => loss(s, pairs, options);
  const [args, precise] = [argumentsOf(float32), argumentsOf(float64)];
  const each = numbers(await checkDevices(noted, perAnchor, args, precise));
  must(
    each.length === N,
    `gives ${each.length} numbers, expected one for each of the ${N} anchors`,
  );
  must(each.every(Number.isFinite), "gives a number that is not finite");
  must(each[N - 1] === 0, `gives ${each[N - 1]} to an anchor without positives, expected 0`);
  if (noted.found.length > 0) return;
  await checkMeasure(noted, loss, options);
  await checkOrder(noted, perAnchor, each);
  await checkGradient(noted, perAnchor);
}
