import { scoreOf } from "./ntXent.ts";
import { ascending, type Matrix, product, range, unitRows } from "./rows.ts";
import { type Expected, maskOf, type Row, rowsOf, standard } from "./standard.ts";
import { leaf, logSumExp, mean, minus, plus, type Scalar, scaled, shifted, sum } from "./tape.ts";

type Params = {
  temperature: number;
  mode: "keep" | "drop" | "soft" | "ranked" | "negative";
  quantile: number;
  maxDemoted: number;
  minKeep: number;
  budget: number;
  alpha: number;
  rankTemperature: number;
  softCentre: number;
  softTemperature: number;
  allPositivesInDenominator: boolean;
};
type Inputs = { views: Matrix[]; rankingViews?: Matrix[] };

/** Linear interpolation between the sorted values at place `share · (size − 1)`. */
function quantileOf(values: number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const low = Math.floor(at);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (at - low) * (sorted[high] - sorted[low]);
}

type Measured = { scores: number[]; percentiles: number[]; threshold: number };

/** How near the candidates of image b are to its reference, beside the views of all other images. */
function measure(views: Matrix[], b: number, quantile: number): Measured {
  const reference = views[0][b];
  const others = views.flatMap((images) => images.filter((_, image) => image !== b));
  const cosines = others.map((row) => product(reference, row));
  const scores = views.slice(1).map((images) => product(reference, images[b]));
  const percentiles = scores.map((score) => {
    const below = cosines.filter((cosine) => cosine < score).length;
    const equal = cosines.filter((cosine) => cosine === score).length;
    return (below + 0.5 * equal) / cosines.length;
  });
  return { scores, percentiles, threshold: quantileOf(cosines, quantile) };
}

/** Candidates demoted in the batch, as [image][candidate] 0 or 1. */
function demote(measured: Measured[], params: Params): number[][] {
  const candidates = measured[0].scores.length;
  const most = Math.max(0, Math.min(params.maxDemoted, candidates - params.minKeep));
  const possible = measured.flatMap(({ scores, percentiles, threshold }, b) =>
    ascending(scores)
      .slice(0, most)
      .filter((v) => scores[v] < threshold)
      .map((v) => ({ b, v, score: scores[v], percentile: percentiles[v] })),
  );
  possible.sort(
    (x, y) => x.percentile - y.percentile || x.score - y.score || x.b - y.b || x.v - y.v,
  );
  const worst = possible.slice(0, Math.floor(params.budget * measured.length * candidates));
  return measured.map((_, b) =>
    maskOf(
      worst.filter((one) => one.b === b).map(({ v }) => v),
      candidates,
    ),
  );
}

/** Weight of every candidate by its percentile; the best has 1. */
function softWeights(percentiles: number[], { softCentre, softTemperature }: Params): number[] {
  const best = percentiles.indexOf(Math.max(...percentiles));
  return percentiles.map((p, v) =>
    v === best ? 1 : 1 / (1 + Math.exp(-(p - softCentre) / softTemperature)),
  );
}

type Bracket = {
  positives: Scalar[];
  negatives: Scalar[];
  weights?: number[] | undefined;
  together: boolean;
};

/** Weighted mean over positives of LSE(it or all of them, negatives) − it. */
function bracket({ positives, negatives, weights, together }: Bracket): Scalar {
  if (positives.length === 0) return leaf(0);
  const each = positives.map((s) =>
    minus(logSumExp([...(together ? positives : [s]), ...negatives]), s),
  );
  if (weights === undefined) return mean(each);
  const total = weights.reduce((so, w) => so + w, 0);
  return scaled(sum(each.map((l, p) => scaled(l, weights[p]))), 1 / total);
}

type Image = { views: Row[][]; b: number; demoted: number[]; weights: number[] | undefined };

function imageLoss({ views, b, demoted, weights }: Image, params: Params): Scalar {
  const reference = views[0][b];
  const own = views.slice(1).map((images) => images[b]);
  const strangers = views.flatMap((images) => images.filter((_, image) => image !== b));
  const scores = (rows: Row[], t: number) => rows.map((row) => scoreOf(reference, row, t));
  const [all, negatives] = [scores(own, params.temperature), scores(strangers, params.temperature)];
  const kept = all.filter((_, v) => demoted[v] === 0);
  const low = all.filter((_, v) => demoted[v] === 1);
  const together = params.allPositivesInDenominator;
  const { mode } = params;
  if (mode === "keep") return bracket({ positives: all, negatives, together });
  if (mode === "drop") return bracket({ positives: kept, negatives, together });
  if (mode === "soft") return bracket({ positives: all, negatives, weights, together });
  if (mode === "negative") {
    const pushed = low.map((s) => shifted(s, Math.log(params.alpha)));
    return bracket({ positives: kept, negatives: [...negatives, ...pushed], together });
  }
  const strict = bracket({ positives: kept, negatives: [...negatives, ...low], together });
  if (low.length === 0) return strict;
  const loose = bracket({
    positives: scores(own, params.rankTemperature),
    negatives: scores(strangers, params.rankTemperature),
    together: false,
  });
  return scaled(plus(strict, loose), 0.5);
}

export function viewTriage(params: Params, inputs: Inputs): Expected {
  const rows = inputs.views.map(rowsOf);
  const ranking = (inputs.rankingViews ?? inputs.views).map(unitRows);
  const images = range(rows[0].length);
  const measured = images.map((b) => measure(ranking, b, params.quantile));
  const demoted = demote(measured, params);
  const weights = measured.map(({ percentiles }) => softWeights(percentiles, params));
  const perAnchor = images.map((b) =>
    imageLoss({ views: rows, b, demoted: demoted[b], weights: weights[b] }, params),
  );
  return {
    ...standard(perAnchor, { views: rows }),
    scores: measured.map(({ scores }) => scores),
    percentiles: measured.map(({ percentiles }) => percentiles),
    thresholds: measured.map(({ threshold }) => threshold),
    demoted,
    ...(params.mode === "soft" ? { weights } : {}),
  };
}
