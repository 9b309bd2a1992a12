import { alike, type Drafter } from "./ownInputs.ts";
import { range } from "./rows.ts";

type Drafters = Record<string, Drafter>;

const D = 5;

type Map = { h: number; w: number; height: number; width: number; threshold: number };
const activation =
  ({ h, w, height, width, threshold }: Map, returnUpsampled = false): Drafter =>
  ({ stream }) => ({
    params: { threshold, height, width, returnUpsampled },
    inputs: {
      features: range(2).map(() =>
        range(h).map(() => range(w).map(() => Math.round(900 * stream.uniform() ** 3) / 100)),
      ),
    },
  });

const contrastiveCropBox: Drafters = {
  square: activation({ h: 4, w: 4, height: 32, width: 32, threshold: 0.3 }),
  wide: activation({ h: 3, w: 5, height: 24, width: 50, threshold: 0.5 }),
  upsampled: activation({ h: 3, w: 2, height: 7, width: 5, threshold: 0.4 }, true),
  "same-size": activation({ h: 6, w: 6, height: 6, width: 6, threshold: 0.6 }),
  constant: () => ({
    params: { threshold: 0.1, height: 12, width: 16, returnUpsampled: false },
    inputs: { heatMap: range(3).map(() => [2, 2, 2]) },
    onEdge: true,
    note: "a constant map: the whole image",
  }),
  strict: () => ({
    params: { threshold: 0.5, height: 3, width: 3, returnUpsampled: false },
    inputs: {
      heatMap: [
        [0, 2, 1],
        [0, 4, 0],
        [2, 0, 3],
      ],
    },
    onEdge: true,
    note: "values equal to the threshold are not active",
  }),
  "nothing-above": () => ({
    params: { threshold: 1, height: 8, width: 8, returnUpsampled: false },
    inputs: {
      heatMap: [
        [0, 1],
        [2, 4],
      ],
    },
    onEdge: true,
  }),
};

type Crop = {
  size?: [number, number];
  attempts: [number, number][];
  centre?: [number, number];
  box?: number[];
  exact?: boolean;
  note?: string;
};
const cropping =
  ({ size = [40, 60], attempts, centre = [0.3, 0.8], box, exact = false, note }: Crop): Drafter =>
  () => ({
    params: {
      height: size[0],
      width: size[1],
      ratio: [0.75, 4 / 3],
      attempts,
      centre,
      exact,
    },
    inputs: { box: box ?? [0.2, 0.35, 0.6, 0.9] },
    onEdge: true,
    ...(note === undefined ? {} : { note }),
  });

const whole = [0, 0, 1, 1];
const contrastiveCrop: Drafters = {
  small: cropping({ attempts: [[0.12, 0.05]] }),
  "small-exact": cropping({ attempts: [[0.12, 0.05]], exact: true }),
  large: cropping({ attempts: [[0.55, 0.21]], centre: [0.97, 0.02] }),
  "last-place": cropping({ attempts: [[0.3, -0.1]], centre: [1, 1], exact: true, box: whole }),
  "whole-image-box": cropping({ attempts: [[0.3, -0.1]], box: whole }),
  corner: cropping({ attempts: [[0.4, 0]], box: [0.92, 0.95, 0.99, 1] }),
  "second-attempt": cropping({
    attempts: [
      [0.99, -0.28],
      [0.3, 0.12],
    ],
    note: "the first attempt does not fit",
  }),
  "fallback-wide": cropping({ size: [20, 90], attempts: [[0.9, 0.1]] }),
  "fallback-tall": cropping({ size: [90, 20], attempts: [[0.9, 0.1]] }),
  "fallback-whole": cropping({ size: [30, 32], attempts: [[1, 0.27]] }),
};

type Triage = Partial<{
  mode: string;
  quantile: number;
  maxDemoted: number;
  minKeep: number;
  budget: number;
  allPositivesInDenominator: boolean;
  temperature: number;
}>;

const triage =
  (given: Triage, ties: [number, number][][] = [], ranking = false): Drafter =>
  ({ views }) => {
    const all = views(4, 4, D, 1);
    for (const [[v, b], ...others] of ties) {
      for (const [other, image] of others) all[other][image] = [...all[v][b]];
    }
    return {
      params: {
        temperature: 0.2,
        mode: "drop",
        quantile: 0.9,
        maxDemoted: 2,
        minKeep: 1,
        budget: 1,
        alpha: 0.5,
        rankTemperature: 0.5,
        softCentre: 0.9,
        softTemperature: 0.05,
        allPositivesInDenominator: false,
        ...given,
      },
      inputs: { views: all, ...(ranking ? { rankingViews: views(4, 4, D, 1) } : {}) },
    };
  };

/** Whether a candidate stays although one of another image with a higher cosine is demoted. */
function lowestStays(outputs: Record<string, unknown>): boolean {
  const scores = (outputs.scores as number[][]).flat();
  const demoted = (outputs.demoted as number[][]).flat();
  const gone = scores.filter((_, i) => demoted[i] === 1);
  return gone.length > 0 && !gone.includes(Math.min(...scores));
}

const viewTriage: Drafters = {
  keep: triage({ mode: "keep" }),
  drop: triage({}),
  soft: triage({ mode: "soft" }),
  ranked: triage({ mode: "ranked" }),
  negative: triage({ mode: "negative" }),
  "no-quantile": triage({ quantile: 0 }),
  budget: (numbers) => ({
    ...triage({ budget: 0.2, maxDemoted: 3, quantile: 0.95 })(numbers),
    accept: lowestStays,
    note: "the lowest percentiles of the batch go, not the lowest cosines",
  }),
  "keep-two": triage({ quantile: 1, maxDemoted: 5, minKeep: 2 }),
  "drop-all-positives": triage({ allPositivesInDenominator: true }),
  "ranked-all-positives": triage({ mode: "ranked", allPositivesInDenominator: true }),
  coldest: triage({ mode: "negative", temperature: 0.01 }),
  // two candidates of one image, twice; a candidate of image 3 and a view of image 2
  ties: triage({ maxDemoted: 1 }, [
    [
      [1, 0],
      [2, 0],
    ],
    [
      [2, 1],
      [3, 1],
    ],
    [
      [1, 3],
      [2, 2],
    ],
  ]),
  "ranking-views": triage({}, [], true),
};

const decoupling =
  (params: Record<string, unknown>, n = 4): Drafter =>
  ({ rows, near }) => {
    const view1 = rows(n, D);
    return {
      params: { temperature: 0.2, weighting: "none", sigma: null, detachWeights: true, ...params },
      inputs: { view1, view2: near(view1, 0.8) },
    };
  };

const decoupled: Drafters = {
  plain: decoupling({}),
  "weights-detached": decoupling({ weighting: "vonMises", sigma: 0.5 }),
  "weights-attached": decoupling({ weighting: "vonMises", sigma: 0.3, detachWeights: false }),
  coldest: decoupling({ temperature: 0.01 }),
  "one-sample": decoupling({}, 1),
};

const neighbourly =
  (symmetric: boolean, ties: number[][] = [], temperature = 0.2): Drafter =>
  ({ rows, near }) => {
    const projection1 = rows(4, D);
    return {
      params: { temperature, symmetric },
      inputs: {
        projection1,
        projection2: near(projection1, 0.6),
        prediction1: near(projection1, 0.8),
        prediction2: near(projection1, 0.8),
        queue: alike(rows(9, D), ...ties),
      },
    };
  };

const nnclr: Drafters = {
  "one-direction": neighbourly(false),
  symmetric: neighbourly(true, [], 0.1),
  ties: neighbourly(true, [
    [0, 5],
    [1, 6],
    [2, 7],
    [3, 8],
  ]),
};

type Vote = { k: number; classes?: number; labels?: number[]; ties?: number[][] };
const voting =
  ({ k, classes = 3, labels, ties = [] }: Vote): Drafter =>
  (numbers) => ({
    params: { neighbours: k, temperature: 0.1, classes },
    inputs: {
      bank: alike(numbers.rows(12, D), ...ties),
      labels: labels ?? numbers.integers(12, classes),
      query: numbers.rows(4, D),
    },
    constant: true,
  });

const knnVote: Drafters = {
  five: voting({ k: 5 }),
  all: voting({ k: 12 }),
  nearest: voting({
    k: 1,
    ties: [
      [0, 1],
      [2, 3],
      [4, 5],
      [6, 7],
      [8, 9],
      [10, 11],
    ],
  }),
  "one-class": voting({ k: 4, classes: 1, labels: range(12).map(() => 0) }),
};

/** Cases of crops, of views of one image, and of votes. */
export const viewDrafts: Record<string, Drafters> = {
  contrastiveCropBox,
  contrastiveCrop,
  viewTriage,
  decoupled,
  nnclr,
  knnVote,
};
