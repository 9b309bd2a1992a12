import { scoreOf, stacked, type TwoViews } from "./ntXent.ts";
import { descending, type Matrix, product, range } from "./rows.ts";
import { type Expected, standard } from "./standard.ts";
import { leaf, logSumExp, mean, minus, shifted } from "./tape.ts";

type Inputs = TwoViews & {
  labels?: number[];
  groups?: number[];
  multiples?: Matrix[];
  waves?: Matrix[];
};

/** One anchor: what each of the 2n columns is to it, and the rules' options. */
type Anchor = {
  /** Weights of the positives and the negatives, by column; a rule changes them in place. */
  positive: number[];
  negative: number[];
  cosine: number[];
  /** Whether the column's image has the anchor's known label, a known label, the anchor's known group. */
  sameLabel: boolean[];
  known: boolean[];
  sameGroup: boolean[];
  sameImage: boolean[];
  /** A uniform number a column. */
  draw: number[];
};
type Options = {
  action?: "eliminate" | "attract";
  count?: number | null;
  share?: number;
  rate?: number;
  keepOwn?: boolean;
  massPreserving?: boolean;
  precision?: number;
  recall?: number;
};

const total = (list: number[]) => list.reduce((so, x) => so + x, 0);
const negatives = ({ negative }: Anchor) => range(negative.length).filter((j) => negative[j] > 0);

/** Takes columns out of the negatives, and makes them positives where they attract. */
function take({ positive, negative }: Anchor, columns: number[], attract: boolean): void {
  for (const j of columns) {
    if (attract) positive[j] += negative[j];
    negative[j] = 0;
  }
}

/** Negatives with the largest values, the lower column first among equal ones. */
const largest = (anchor: Anchor, values: number[], count: number): number[] =>
  descending(values)
    .filter((j) => anchor.negative[j] > 0)
    .slice(0, count);

function oracle(anchor: Anchor, options: Options): void {
  const { precision = 1, recall = 1, action = "eliminate", massPreserving = false } = options;
  const before = total(anchor.negative);
  const right = negatives(anchor).filter((j) => anchor.sameLabel[j]);
  const wrong = negatives(anchor).filter((j) => anchor.known[j] && !anchor.sameLabel[j]);
  const chance =
    wrong.length === 0 ? 0 : (right.length * recall * (1 - precision)) / precision / wrong.length;
  const exact = precision === 1 && recall === 1;
  const hits = right.filter((j) => exact || anchor.draw[j] < recall);
  const misses = wrong.filter((j) => !exact && anchor.draw[j] < chance);
  take(anchor, [...hits, ...misses], action === "attract");
  const left = total(anchor.negative);
  if (!massPreserving || left === 0) return;
  for (const j of negatives(anchor)) anchor.negative[j] *= before / left;
}

/** What each sampler does to the pairs of one anchor. */
const rules: Record<string, (anchor: Anchor, options: Options) => void> = {
  oracle,
  groups(anchor) {
    const mates = negatives(anchor).filter((j) => anchor.sameGroup[j]);
    take(anchor, mates, false);
  },
  groupPositives(anchor) {
    for (const j of range(anchor.positive.length)) {
      if (!anchor.sameGroup[j] || anchor.sameImage[j]) continue;
      if (anchor.positive[j] === 0) anchor.positive[j] = 1;
      anchor.negative[j] = 0;
    }
  },
  labels(anchor) {
    const same = negatives(anchor).filter((j) => anchor.sameLabel[j]);
    take(anchor, same, true);
  },
  hardest(anchor, { count = null, share = 0.1 }) {
    const kept = count ?? Math.max(1, Math.trunc(share * (anchor.negative.length - 2)));
    const hard = largest(anchor, anchor.cosine, kept);
    const easy = negatives(anchor).filter((j) => !hard.includes(j));
    take(anchor, easy, false);
  },
  nearest(anchor, { keepOwn = false }) {
    const found = largest(anchor, anchor.cosine, 1);
    if (!keepOwn && found.length > 0) anchor.positive.fill(0);
    take(anchor, found, true);
  },
  random(anchor, { rate = 0.1, count = null, action = "eliminate" }) {
    const picked =
      count === null
        ? negatives(anchor).filter((j) => anchor.draw[j] < rate)
        : largest(anchor, anchor.draw, count);
    take(anchor, picked, action === "attract");
  },
};

function anchorsOf({ view1, view2, labels, groups, multiples, waves }: Inputs, unit: Matrix) {
  const n = view1.length;
  const columns = range(view1.length + view2.length);
  const same = (marks: number[] | undefined, i: number, j: number) =>
    marks !== undefined && marks[i % n] >= 0 && marks[i % n] === marks[j % n];
  return columns.map((i): Anchor => {
    const phase = (j: number) =>
      total(
        (multiples?.flat()[i] ?? []).map((multiple, wave) => multiple * waves![wave].flat()[j]),
      );
    return {
      positive: columns.map((j) => (j === (i + n) % (2 * n) ? 1 : 0)),
      negative: columns.map((j) => (j % n === i % n ? 0 : 1)),
      cosine: columns.map((j) => product(unit[i], unit[j])),
      sameLabel: columns.map((j) => same(labels, i, j)),
      known: columns.map((j) => labels !== undefined && labels[i % n] >= 0 && labels[j % n] >= 0),
      sameGroup: columns.map((j) => same(groups, i, j)),
      sameImage: columns.map((j) => j % n === i % n),
      draw: columns.map((j) => phase(j) - Math.floor(phase(j))),
    };
  });
}

/** A sampler of a line on the pairs of two views, and the loss over what it leaves. */
const pairSampler =
  (name: string) =>
  (params: { temperature: number; options: Options }, inputs: Inputs): Expected => {
    const { rows, differentiate } = stacked(inputs);
    const unit = rows.map((row) => row.unit.map(({ value }) => value));
    const anchors = anchorsOf(inputs, unit);
    for (const anchor of anchors) rules[name](anchor, params.options);
    const perAnchor = anchors.map(({ positive, negative }, i) => {
      const present = range(rows.length).filter((j) => positive[j] + negative[j] > 0);
      const score = (j: number) => scoreOf(rows[i], rows[j], params.temperature);
      const weighed = present.map((j) => shifted(score(j), Math.log(positive[j] + negative[j])));
      const own = present.filter((j) => positive[j] > 0); // each of weight 1
      if (own.length === 0) return leaf(0);
      const denominator = logSumExp(weighed);
      return mean(own.map((j) => minus(denominator, score(j))));
    });
    return {
      ...standard(perAnchor, differentiate),
      positive: anchors.map(({ positive }) => positive),
      negative: anchors.map(({ negative }) => negative),
    };
  };

export const pairSamplers = Object.fromEntries(
  Object.keys(rules).map((name) => [name, pairSampler(name)]),
);
