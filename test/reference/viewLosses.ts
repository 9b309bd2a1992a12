import { scoreOf, stacked, type TwoViews } from "./ntXent.ts";
import { range } from "./rows.ts";
import { type Expected, standard } from "./standard.ts";
import {
  exp,
  held,
  leaf,
  log,
  logSumExp,
  mean,
  minus,
  over,
  plus,
  type Scalar,
  scaled,
  shifted,
  sum,
  times,
} from "./tape.ts";

type Inputs = TwoViews & { labels?: number[] };

/** Cosines of one anchor to its positives and to its negatives. */
type Sides = { positives: Scalar[]; negatives: Scalar[] };

/** A loss of two views, one anchor at a time: views of one label are positives, without labels the other view. */
const eachAnchor =
  <P>(lossOf: (sides: Sides, params: P) => Scalar) =>
  (params: P, inputs: Inputs): Expected => {
    const { rows, differentiate } = stacked(inputs);
    const n = rows.length / 2;
    const labelOf = (row: number) => inputs.labels?.[row % n] ?? row % n;
    const perAnchor = range(2 * n).map((i) => {
      const others = range(2 * n).filter((j) => j !== i);
      const side = (same: boolean) =>
        others
          .filter((j) => (labelOf(j) === labelOf(i)) === same)
          .map((j) => scoreOf(rows[i], rows[j], 1));
      return lossOf({ positives: side(true), negatives: side(false) }, params);
    });
    return standard(perAnchor, differentiate);
  };

/** log(1 + e^x) */
const softplus = (x: Scalar): Scalar => logSumExp([x, leaf(0)]);

const sigmoid = eachAnchor<{ temperature: number; bias: number }>(
  ({ positives, negatives }, { temperature, bias }) => {
    const odds = (s: Scalar) => shifted(scaled(s, 1 / temperature), bias);
    return sum([
      ...positives.map((s) => softplus(scaled(odds(s), -1))),
      ...negatives.map((s) => softplus(odds(s))),
    ]);
  },
);

const rince = eachAnchor<{ temperature: number; q: number; lambda: number }>(
  ({ positives, negatives }, { temperature, q, lambda }) => {
    const e = (s: Scalar) => exp(scaled(s, 1 / temperature));
    const power = (x: Scalar) => exp(scaled(log(x), q));
    const all = sum([...positives, ...negatives].map(e));
    const pull = mean(positives.map((s) => power(e(s))));
    return scaled(minus(power(scaled(all, lambda)), pull), 1 / q);
  },
);

type Bell = { temperature: number; mu: number; sigma: number; detachWeights: boolean };

const adnce = eachAnchor<Bell>(
  ({ positives, negatives }, { temperature, mu, sigma, detachWeights }) => {
    if (negatives.length === 0) return leaf(0);
    const e = (s: Scalar) => exp(scaled(s, 1 / temperature));
    const bell = negatives
      .map((s) => scaled(shifted(detachWeights ? held(s) : s, -mu), 1 / sigma))
      .map((z) => exp(scaled(times(z, z), -0.5)));
    const mass = sum(negatives.map((s, j) => times(e(s), over(bell[j], mean(bell)))));
    return mean(positives.map((s) => scaled(log(over(e(s), plus(e(s), mass))), -1)));
  },
);

const ifm = eachAnchor<{ temperature: number; epsilon: number; alpha: number }>(
  ({ positives, negatives }, { temperature, epsilon, alpha }) => {
    const infoNce = (by: number) => {
      const near = positives.map((s) => scaled(shifted(s, -by), 1 / temperature));
      const far = negatives.map((s) => scaled(shifted(s, by), 1 / temperature));
      return minus(logSumExp([...near, ...far]), mean(near));
    };
    return scaled(plus(infoNce(0), scaled(infoNce(epsilon), alpha)), 1 / (1 + alpha));
  },
);

/** Losses whose cases are two views and their options. */
export const viewLosses = { adnce, ifm, rince, sigmoid };
