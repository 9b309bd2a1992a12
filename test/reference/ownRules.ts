import type { Drafter, Numbers } from "./ownInputs.ts";
import { range } from "./rows.ts";

type Drafters = Record<string, Drafter>;
type Marks = { labels?: number[]; groups?: number[] };

/** What uniform numbers of a step are made of, so few digits that float32 holds their sums. */
const drawn = ({ stream }: Numbers, n: number) => {
  const multiple = () => (1 + stream.integer(8)) * (stream.chance(0.5) ? 1 : -1);
  const wave = () => stream.integer(256) / 256;
  const views = (each: () => unknown) => range(2).map(() => range(n).map(each));
  return { multiples: views(() => range(4).map(multiple)), waves: range(4).map(() => views(wave)) };
};

/** A sampler on two views of as many images as there are marks. */
const on =
  (options: Record<string, unknown>, marks: Marks = {}, draws = false, n = 4): Drafter =>
  (numbers) => {
    const view1 = numbers.rows(n, 4);
    const views = { view1, view2: numbers.near(view1, 0.7) };
    const inputs = { ...views, ...marks, ...(draws ? drawn(numbers, n) : {}) };
    return { params: { temperature: 0.3, options }, inputs };
  };

const labels = [0, 1, 0, -1];
const groups = [5, -1, 5, 2];
const twice = { labels: [0, 0, 1, 1] };

const byRule: Record<string, Drafters> = {
  groups: {
    some: on({}, { groups }),
    none: on({}),
    "all-of-one": on({}, { groups: [3, 3, 3, 3] }),
  },
  groupPositives: {
    some: on({}, { groups }),
    none: on({}),
    "all-of-one": on({}, { groups: [3, 3, 3, 3] }),
  },
  labels: {
    some: on({}, { labels }),
    none: on({}),
    "all-of-one": on({}, { labels: [1, 1, 1, 1] }),
  },
  hardest: {
    count: on({ count: 2 }),
    share: on({ share: 0.5 }),
    "at-least-one": on({ share: 0.01 }),
    "more-than-there-are": on({ count: 9 }),
  },
  nearest: {
    instead: on({}),
    beside: on({ keepOwn: true }),
    "one-image": on({}, {}, false, 1),
  },
  oracle: {
    eliminate: on({}, { labels }),
    attract: on({ action: "attract" }, { labels }),
    "same-mass": on({ massPreserving: true }, twice),
    "noisy-eliminate": on({ precision: 0.6, recall: 0.7 }, twice, true),
    "noisy-attract": on({ precision: 0.5, recall: 0.8, action: "attract" }, { labels }, true),
  },
  random: {
    rate: on({ rate: 0.4 }, {}, true),
    count: on({ count: 2 }, {}, true),
    attract: on({ count: 1, action: "attract" }, {}, true),
  },
};

const learning =
  (options: Record<string, unknown>, updates: number[] = [3, 1, 7, 2]): Drafter =>
  (numbers) => {
    const view1 = numbers.rows(4, 4);
    const slopes = numbers.uniforms(4, 0.4).map((x) => x - 0.2);
    const state = {
      threshold: updates.map((count) => (count === 0 ? 1 : numbers.uniforms(1, 0.8)[0] - 0.2)),
      mean: updates.map((count, i) => (count === 0 ? 0 : slopes[i])),
      variance: updates.map((count, i) => (count === 0 ? 0 : slopes[i] ** 2 + 0.01)),
      updates,
    };
    const inputs = { view1, view2: numbers.near(view1, 0.7), ...state };
    const defaults = { alpha: 0.2, rate: 0.05, beta1: 0.9, beta2: 0.98, start: "quantile" };
    const rest = { massPreserving: true, action: "eliminate" };
    return { params: { temperature: 0.3, options: { ...defaults, ...rest, ...options } }, inputs };
  };

const gloFnd: Record<string, Drafter> = {
  later: learning({}),
  first: learning({}, [0, 0, 0, 0]),
  "some-first": learning({ alpha: 0.4 }, [0, 2, 0, 5]),
  attract: learning({ action: "attract", massPreserving: false }),
  "as-they-are": learning({ massPreserving: false, beta1: 0 }),
};

/** Cases of samplers that are a rule of a line. */
export const ruleDrafts: Record<string, Record<string, Drafter>> = { ...byRule, gloFnd };
