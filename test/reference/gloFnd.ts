import { scoreOf, stacked, type TwoViews } from "./ntXent.ts";
import { ascending, product, range, unitRows } from "./rows.ts";
import { type Expected, standard } from "./standard.ts";
import { logSumExp, mean, minus, shifted } from "./tape.ts";

type Params = {
  temperature: number;
  options: {
    alpha: number;
    rate: number;
    beta1: number;
    beta2: number;
    massPreserving: boolean;
    action: "eliminate" | "attract";
  };
};
/** Of the n images: thresholds, mean and variance of slopes, how often each was seen. */
type Inputs = TwoViews & Record<"threshold" | "mean" | "variance" | "updates", number[]>;

/** By linear interpolation at share · (n − 1). */
function quantile(values: number[], share: number): number {
  const sorted = ascending(values).map((at) => values[at]);
  const at = share * (values.length - 1);
  const [low, high] = [Math.floor(at), Math.min(Math.floor(at) + 1, values.length - 1)];
  return sorted[low] + (at - low) * (sorted[high] - sorted[low]);
}

export function gloFnd({ temperature, options }: Params, inputs: Inputs): Expected {
  const { alpha, rate, beta1, beta2, massPreserving, action } = options;
  const { rows, differentiate } = stacked(inputs);
  const unit = unitRows([...inputs.view1, ...inputs.view2]);
  const n = inputs.view1.length;
  const others = (i: number) => range(2 * n).filter((j) => j % n !== i % n);
  const cosines = (i: number) => others(i).map((j) => product(unit[i], unit[j]));
  const threshold = range(n).map((image) => {
    const both = [cosines(image), cosines(image + n)];
    if (inputs.updates[image] === 0) {
      return (quantile(both[0], 1 - alpha) + quantile(both[1], 1 - alpha)) / 2;
    }
    const old = inputs.threshold[image];
    const slope = alpha - both.flat().filter((s) => s > old).length / both.flat().length;
    const average = beta1 * inputs.mean[image] + (1 - beta1) * slope;
    const square = beta2 * inputs.variance[image] + (1 - beta2) * slope ** 2;
    const fresh = (x: number, beta: number) => x / (1 - beta ** inputs.updates[image]);
    const step = fresh(average, beta1) / (Math.sqrt(fresh(square, beta2)) + 1e-8);
    return Math.min(Math.max(old - rate * step, -1), 1);
  });
  const weights = range(2 * n).map((i) => {
    const picked = others(i).filter((j) => product(unit[i], unit[j]) > threshold[i % n]);
    const kept = others(i).filter((j) => !picked.includes(j));
    const scale = massPreserving ? others(i).length / kept.length : 1;
    const attracted = action === "attract" ? picked : [];
    return {
      positive: range(2 * n).map((j) => Number(j === (i + n) % (2 * n) || attracted.includes(j))),
      negative: range(2 * n).map((j) => (kept.includes(j) ? scale : 0)),
    };
  });
  const perAnchor = weights.map(({ positive, negative }, i) => {
    const score = (j: number) => scoreOf(rows[i], rows[j], temperature);
    const pulled = range(2 * n).filter((j) => positive[j] > 0);
    const pushed = range(2 * n).filter((j) => negative[j] > 0);
    const total = logSumExp([
      ...pulled.map(score),
      ...pushed.map((j) => shifted(score(j), Math.log(negative[j]))),
    ]);
    return mean(pulled.map((j) => minus(total, score(j))));
  });
  return {
    ...standard(perAnchor, differentiate),
    threshold,
    positive: weights.map(({ positive }) => positive),
    negative: weights.map(({ negative }) => negative),
  };
}
