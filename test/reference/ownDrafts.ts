import { alike, type Drafter, type Numbers } from "./ownInputs.ts";
import { type Matrix, range } from "./rows.ts";

type Drafters = Record<string, Drafter>;

const D = 5;

/** Two views of n samples. */
const twoViews = ({ rows, near }: Numbers, n: number, spread = 0.7) => {
  const view1 = rows(n, D);
  return { view1, view2: near(view1, spread) };
};

/** Queries near their keys, and a queue. */
const queue = ({ rows, near }: Numbers, n: number, K: number) => {
  const query = rows(n, D);
  return { query, key: near(query, 0.7), queue: rows(K, D) };
};

const equalRows = (count: number): Matrix => range(count).map(() => [0.4, -0.3, 0.2, 0.7, -0.1]);

const onTwoViews =
  (params: Record<string, unknown>, n = 4, spread = 0.7): Drafter =>
  (numbers) => ({ params, inputs: twoViews(numbers, n, spread) });

const onQueue =
  (params: Record<string, unknown>, n = 3, K = 10): Drafter =>
  (numbers) => ({ params, inputs: queue(numbers, n, K) });

const ntXent: Drafters = {
  "two-views": onTwoViews({ temperature: 0.5 }),
  "low-temperature": onTwoViews({ temperature: 0.1 }),
  coldest: onTwoViews({ temperature: 0.01 }, 4, 2),
  duplicates: (numbers) => {
    const { view1, view2 } = twoViews(numbers, 4);
    const all = alike([...view1, ...view2], [0, 4, 7]);
    const inputs = { view1: all.slice(0, 4), view2: all.slice(4) };
    return { params: { temperature: 0.2 }, inputs, note: "three of the eight rows are equal" };
  },
  "all-equal": () => ({
    params: { temperature: 0.2 },
    inputs: { view1: equalRows(4), view2: equalRows(4) },
    note: "ln 7, and no gradient",
  }),
  "one-sample": onTwoViews({ temperature: 0.5 }, 1),
  "zero-row": (numbers) => {
    const { view1, view2 } = twoViews(numbers, 3);
    view1[1] = view1[1].map(() => 0);
    const note = "a zero row stays zero, its cosines are 0";
    return { params: { temperature: 0.5 }, inputs: { view1, view2 }, note, constant: true };
  },
};

const nce = { negatives: "queue", symmetric: false };
const infoNce: Drafters = {
  queue: onQueue({ ...nce, temperature: 0.2 }),
  "queue-coldest": onQueue({ ...nce, temperature: 0.01 }),
  "queue-holds-keys": (numbers) => {
    const { query, key, queue: rest } = queue(numbers, 3, 8);
    const note = "the keys stand in the queue as well";
    const inputs = { query, key, queue: [...key, ...rest] };
    return { params: { ...nce, temperature: 0.1 }, inputs, note };
  },
  "queue-one-query": onQueue({ ...nce, temperature: 0.2 }, 1, 6),
  "queue-all-equal": () => ({
    params: { ...nce, temperature: 0.2 },
    inputs: { query: equalRows(2), key: equalRows(2), queue: equalRows(5) },
    note: "ln 6, and no gradient",
  }),
  "in-batch": ({ rows, near }) => {
    const query = rows(4, D);
    const params = { negatives: "inBatch", symmetric: false, temperature: 0.3 };
    return { params, inputs: { query, key: near(query, 0.8) } };
  },
  "in-batch-symmetric": ({ rows, near }) => {
    const query = rows(4, D);
    const params = { negatives: "inBatch", symmetric: true, temperature: 0.1 };
    return { params, inputs: { query, key: near(query, 0.8) } };
  },
};

/** Embeddings near the bank's rows of their images. */
const bank = ({ rows, near }: Numbers, N: number, indices: number[]) => {
  const all = rows(N, D);
  const embedding = near(
    indices.map((i) => all[i]),
    0.8,
  );
  return { embedding, bank: all, indices };
};

const nceOverBank =
  (normaliser: number | null, bankMomentum: number, noise?: number[][], epsilon = 1e-7): Drafter =>
  (numbers) => ({
    params: {
      temperature: 0.2,
      normaliser,
      bankMomentum,
      epsilon,
      noise: noise ?? range(3).map(() => numbers.integers(4, 12)),
    },
    inputs: bank(numbers, 12, [7, 2, 9]),
  });

const instDiscNce: Drafters = {
  estimated: nceOverBank(null, 0.5),
  given: nceOverBank(250, 0.25, undefined, 0.02),
  "own-row-and-repeats": nceOverBank(null, 0, [
    [7, 7, 1, 1],
    [2, 3, 3, 3],
    [0, 9, 9, 5],
  ]),
};

const instDiscSoftmax: Drafters = {
  warm: (numbers) => ({ params: { temperature: 0.3 }, inputs: bank(numbers, 9, [1, 8, 4]) }),
  cold: (numbers) => ({ params: { temperature: 0.07 }, inputs: bank(numbers, 9, [0, 3, 5]) }),
  duplicates: (numbers) => {
    const inputs = bank(numbers, 9, [2, 6]);
    const note = "the own row of the first image occurs three times";
    const equal = alike(inputs.bank, [2, 0, 5]);
    return { params: { temperature: 0.1 }, inputs: { ...inputs, bank: equal }, note };
  },
};

type SupCon = { variant?: string; temperature?: number; base?: number; anchors?: string };
const supConOn =
  (
    labels: number[],
    { variant = "out", temperature = 0.1, base, anchors = "all" }: SupCon = {},
  ): Drafter =>
  (numbers) => ({
    params: { temperature, baseTemperature: base ?? temperature, variant, anchors },
    inputs: { ...twoViews(numbers, labels.length), labels },
  });

const supCon: Drafters = {
  out: supConOn([0, 1, 0, 2], { base: 0.07 }),
  in: supConOn([0, 1, 0, 1], { variant: "in" }),
  "log-sum": supConOn([0, 1, 1, 1], { variant: "logSum", temperature: 0.3 }),
  "anchors-of-view-1": supConOn([3, 1, 3, 1], { anchors: "view1", base: 0.07 }),
  "one-class": supConOn([4, 4, 4], { temperature: 0.5 }),
  "unique-labels": supConOn([0, 1, 2, 3], { temperature: 0.5 }),
  coldest: supConOn([0, 1, 0, 1], { temperature: 0.01 }),
  "one-view": ({ rows }) => ({
    params: { temperature: 0.5, baseTemperature: 0.5, variant: "out", anchors: "all" },
    inputs: { view1: rows(5, D), labels: [0, 1, 0, 2, 0] },
    note: "two anchors have no positive: 0, and they count in the mean",
  }),
};

const debiasedWith =
  (temperature: number, tauPlus: number, anchors = "both", third = false): Drafter =>
  (numbers) => {
    const { view1, view2 } = twoViews(numbers, 4, 1);
    const view3 = third ? { view3: numbers.near(view1, 1) } : {};
    return { params: { temperature, tauPlus, anchors }, inputs: { view1, view2, ...view3 } };
  };

const debiased: Drafters = {
  plain: debiasedWith(0.5, 0),
  corrected: debiasedWith(0.5, 0.1),
  "some-clamped": debiasedWith(0.4, 0.15),
  coldest: debiasedWith(0.01, 0.1),
  "anchors-of-view-1": debiasedWith(0.5, 0.05, "view1"),
  "two-positives": debiasedWith(0.5, 0.1, "view1", true),
  "one-sample": (numbers) => ({
    params: { temperature: 0.5, tauPlus: 0.1, anchors: "both" },
    inputs: twoViews(numbers, 1),
    note: "no negatives: 0",
  }),
  "all-equal": () => ({
    params: { temperature: 0.5, tauPlus: 0.2, anchors: "both" },
    inputs: { view1: equalRows(3), view2: equalRows(3) },
    note: "ln 5 for every tauPlus",
  }),
};

const hard = (params: Record<string, unknown>): Drafter =>
  onTwoViews({ temperature: 0.5, tauPlus: 0.1, beta: 1, detachWeights: false, ...params }, 4, 1);

const hardNegative: Drafters = {
  attached: hard({}),
  detached: hard({ detachWeights: true, beta: 1.5 }),
  "no-weights": hard({ beta: 0 }),
  "some-clamped": hard({ temperature: 0.25, tauPlus: 0.2, beta: 0.5 }),
  coldest: hard({ temperature: 0.01, beta: 8 }),
  "all-equal": () => ({
    params: { temperature: 0.5, tauPlus: 0.1, beta: 2, detachWeights: false },
    inputs: { view1: equalRows(3), view2: equalRows(3) },
  }),
};

type Mixes = { n?: number; K?: number; topN: number; pairs?: number[][]; picks?: number[] };
type Shares = { alphas?: number[]; betas?: number[]; ties?: number[] };

const mixing =
  ({ n = 3, K = 9, topN, pairs = [], picks = [] }: Mixes, given: Shares = {}): Drafter =>
  (numbers) => {
    const inputs = queue(numbers, n, K);
    const each = <T>(make: () => T) => range(n).map(make);
    return {
      params: {
        temperature: 0.2,
        topN,
        pairs: each(() => pairs),
        picks: each(() => picks),
        alphas: each(() => given.alphas ?? numbers.uniforms(pairs.length)),
        betas: each(() => given.betas ?? numbers.uniforms(picks.length, 0.5)),
      },
      inputs: given.ties ? { ...inputs, queue: alike(inputs.queue, given.ties) } : inputs,
    };
  };

const twoPairs = [
  [0, 1],
  [3, 2],
];
const mochi: Drafters = {
  both: mixing({ topN: 4, pairs: twoPairs, picks: [0, 3] }),
  "pairs-only": mixing({ topN: 5, pairs: [[4, 0], ...twoPairs] }),
  "queries-only": mixing({ topN: 3, picks: [1, 2, 0] }),
  extremes: mixing({ topN: 4, pairs: twoPairs, picks: [1] }, { alphas: [1, 0], betas: [0] }),
  ties: mixing({ topN: 4, pairs: twoPairs, picks: [2] }, { ties: [1, 4, 7] }),
  "whole-queue": mixing({ n: 1, K: 4, topN: 4, pairs: twoPairs, picks: [3] }),
};

/** Two candidates of each kind named, none of the others. */
const synthesising =
  (kinds: string[], { topN = 4, K = 9 } = {}): Drafter =>
  (numbers) => {
    const each = <T>(make: () => T) => range(3).map(make);
    const wanted = (kind: string) => kinds.includes(kind) || kinds.length === 0;
    const picks = (kind: string) => each(() => (wanted(kind) ? numbers.integers(2, topN) : []));
    const shares = (kind: string, low: number) =>
      each(() => (wanted(kind) ? numbers.uniforms(2, 0.5).map((x) => low + x) : []));
    const noise = wanted("noisy") ? range(2).map(() => numbers.row(D)) : [];
    return {
      params: {
        temperature: 0.2,
        topN,
        interpolated: { picks: picks("interpolated"), alphas: shares("interpolated", 0) },
        extrapolated: { picks: picks("extrapolated"), betas: shares("extrapolated", 1) },
        mixed: {
          pairs: each(() => (wanted("mixed") ? twoPairs : [])),
          gammas: shares("mixed", 0.2),
        },
        noisy: { picks: picks("noisy"), noise, sigma: 0.1 },
        perturbed: { picks: picks("perturbed"), delta: 0.2 },
        adversarial: { picks: picks("adversarial"), eta: 0.1 },
      },
      inputs: queue(numbers, 3, K),
    };
  };

const synco: Drafters = {
  "all-kinds": synthesising([]),
  interpolated: synthesising(["interpolated"]),
  extrapolated: synthesising(["extrapolated"]),
  mixed: synthesising(["mixed"]),
  noisy: synthesising(["noisy"]),
  perturbed: synthesising(["perturbed"]),
  adversarial: synthesising(["adversarial"]),
  "whole-queue": synthesising([], { K: 4 }),
};

const ringOf =
  (params: Record<string, unknown>, ties?: number[][]): Drafter =>
  (numbers) => {
    const inputs = queue(numbers, 3, 16);
    return {
      params: {
        temperature: 0.1,
        outer: 0.5,
        inner: 0.25,
        dynamicInner: true,
        draws: null,
        neighbourViews: "none",
        ...params,
      },
      inputs: ties ? { ...inputs, queue: alike(inputs.queue, ...ties) } : inputs,
    };
  };

const ring: Drafters = {
  dynamic: ringOf({}),
  static: ringOf({ dynamicInner: false, inner: 0.2 }),
  ball: ringOf({ outer: 0.36, inner: 0 }),
  truncated: ringOf({ outer: 0.48, inner: 0.4 }), // 7.68 of 16, 2.8 of 7
  whole: ringOf({ outer: 1, inner: 0 }),
  coldest: ringOf({ temperature: 0.01 }),
  draws: ringOf({
    draws: [
      [0, 5, 2, 2],
      [1, 1, 1, 4],
      [3, 0, 5, 2],
    ],
  }),
  "neighbours-inside": ringOf({ neighbourViews: "logSumExp", temperature: 0.2 }),
  "neighbours-outside": ringOf({ neighbourViews: "mean", temperature: 0.2 }),
  ties: ringOf({ outer: 0.4, inner: 0.5 }, [
    [2, 6, 13],
    [5, 11],
  ]),
};

const loocOf =
  (augmentations: number, temperature: number, n = 2): Drafter =>
  ({ rows, near }) => {
    const spaces = range(augmentations + 1);
    const base = spaces.map(() => rows(n, D));
    return {
      params: { temperature, augmentations },
      inputs: {
        query: base,
        keys: spaces.map(() => base.map((space) => near(space, 0.8))),
        queue: spaces.map(() => rows(5, D)),
      },
    };
  };

const looc: Drafters = {
  "two-augmentations": loocOf(2, 0.2),
  "one-augmentation": loocOf(1, 0.1, 3),
  "no-augmentation": loocOf(0, 0.2, 3),
};

const views = (params: Record<string, unknown>, labels?: number[], n = 4): Drafter => {
  const drafter = onTwoViews(params, n, 1);
  return (numbers) => {
    const { inputs, ...rest } = drafter(numbers);
    return { ...rest, inputs: { ...inputs, ...(labels ? { labels } : {}) } };
  };
};
const someAlike = [0, 1, 0, 2];
const allAlike = [0, 0, 0, 0];

const bell = { temperature: 0.4, mu: 0.7, sigma: 0.5, detachWeights: true };
const adnce: Drafters = {
  plain: views(bell),
  attached: views({ ...bell, mu: 0.2, detachWeights: false }),
  narrow: views({ ...bell, temperature: 0.2, mu: 0, sigma: 0.1 }),
  coldest: views({ ...bell, temperature: 0.01, mu: 0.5, sigma: 1 }),
  labels: views(bell, someAlike),
  "no-negatives": views(bell, allAlike),
};

const ifm: Drafters = {
  plain: views({ temperature: 0.2, epsilon: 0.1, alpha: 1 }),
  "harder-only-more": views({ temperature: 0.5, epsilon: 0.4, alpha: 3 }),
  none: views({ temperature: 0.2, epsilon: 0, alpha: 1 }),
  coldest: views({ temperature: 0.01, epsilon: 1, alpha: 1 }),
  labels: views({ temperature: 0.2, epsilon: 0.1, alpha: 1 }, someAlike),
  "no-negatives": views({ temperature: 0.2, epsilon: 0.1, alpha: 1 }, allAlike),
};

const rince: Drafters = {
  plain: views({ temperature: 0.5, q: 0.5, lambda: 0.025 }),
  symmetric: views({ temperature: 0.5, q: 1, lambda: 0.5 }),
  "nearly-infoNce": views({ temperature: 0.2, q: 0.01, lambda: 1 }),
  cold: views({ temperature: 0.1, q: 0.5, lambda: 0.01 }),
  labels: views({ temperature: 0.5, q: 0.5, lambda: 0.025 }, someAlike),
  "no-negatives": views({ temperature: 0.5, q: 0.5, lambda: 0.025 }, allAlike),
};

const sigmoid: Drafters = {
  plain: views({ temperature: 0.1, bias: -10 }),
  "no-bias": views({ temperature: 0.5, bias: 0 }),
  coldest: views({ temperature: 0.01, bias: -16 }),
  labels: views({ temperature: 0.1, bias: -2 }, someAlike),
  "no-negatives": views({ temperature: 0.1, bias: -10 }, allAlike),
};

/** Cases of losses, of negatives out of a queue, and of leave-one-out. */
export const lossDrafts: Record<string, Drafters> = {
  ntXent,
  infoNce,
  instDiscNce,
  instDiscSoftmax,
  supCon,
  debiased,
  hardNegative,
  mochi,
  synco,
  ring,
  looc,
  adnce,
  ifm,
  rince,
  sigmoid,
};
