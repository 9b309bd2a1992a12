import type { Expected } from "./standard.ts";

type Params = {
  height: number;
  width: number;
  ratio: [number, number];
  attempts: [number, number][];
  centre: [number, number];
  exact: boolean;
};

/** The central crop that is taken where no attempt fits. */
function central({ height: H, width: W, ratio: [low, high] }: Params): number[] {
  let [h, w] = [H, W];
  if (W / H < low) h = Math.round(W / low);
  else if (W / H > high) w = Math.round(H * high);
  return [Math.floor((H - h) / 2), Math.floor((W - w) / 2), h, w];
}

/** First and last top edge (or left edge) of a crop of `length` whose centre lies between `from` and `to`. */
function edges(size: number, length: number, from: number, to: number): [number, number] {
  const edge = (at: number) => {
    const place = Math.trunc(size * at) - Math.floor(length / 2);
    return Math.min(Math.max(place, 0), size - length);
  };
  return [edge(from), edge(to)];
}

export function contrastiveCrop(params: Params, { box }: { box: number[] }): Expected {
  const { height: H, width: W, exact } = params;
  const pick = (first: number, last: number, share: number) =>
    exact
      ? first + Math.min(Math.floor((last - first + 1) * share), last - first)
      : first + Math.trunc((last - first) * share);
  for (const [attempt, [fraction, logRatio]] of params.attempts.entries()) {
    const [area, ratio] = [H * W * fraction, Math.exp(logRatio)];
    const [w, h] = [Math.round(Math.sqrt(area * ratio)), Math.round(Math.sqrt(area / ratio))];
    if (!(w > 0 && w <= W && h > 0 && h <= H)) continue;
    const [r0, r1] = edges(H, h, box[0], box[2]);
    const [c0, c1] = edges(W, w, box[1], box[3]);
    const [top, left] = [pick(r0, r1, params.centre[0]), pick(c0, c1, params.centre[1])];
    return { attempt, range: [r0, r1, c0, c1], crop: [top, left, h, w] };
  }
  return { attempt: -1, range: null, crop: central(params) };
}
