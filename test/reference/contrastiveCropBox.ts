import { type Matrix, range } from "./rows.ts";
import type { Expected } from "./standard.ts";

type Params = { threshold: number; height: number; width: number; returnUpsampled: boolean };
type Inputs = { features: Matrix[]; heatMap?: undefined } | { heatMap: Matrix };

/** Where a place of the large map lies in the small one: the two neighbours and the share of the second. */
function between(place: number, from: number, to: number): [number, number, number] {
  const at = Math.max((place + 0.5) * (from / to) - 0.5, 0);
  const low = Math.floor(at);
  return [low, Math.min(low + 1, from - 1), at - low];
}

function upsample(map: Matrix, height: number, width: number): Matrix {
  return range(height).map((y) => {
    const [top, bottom, down] = between(y, map.length, height);
    return range(width).map((x) => {
      const [left, right, across] = between(x, map[0].length, width);
      const row = (r: number) => map[r][left] * (1 - across) + map[r][right] * across;
      return row(top) * (1 - down) + row(bottom) * down;
    });
  });
}

export function contrastiveCropBox(params: Params, inputs: Inputs): Expected {
  const { threshold, height, width } = params;
  const raw =
    inputs.heatMap ??
    inputs.features[0].map((row, y) =>
      row.map((_, x) => inputs.features.reduce((total, channel) => total + channel[y][x], 0)),
    );
  const [least, most] = [Math.min(...raw.flat()), Math.max(...raw.flat())];
  const heatMap = raw.map((row) =>
    row.map((x) => (most > least ? (x - least) / (most - least) : 0)),
  );
  const large = upsample(heatMap, height, width);
  const rows = range(height).filter((y) => Math.max(...large[y]) > threshold);
  const columns = range(width).filter((x) => Math.max(...large.map((row) => row[x])) > threshold);
  const upsampled = params.returnUpsampled ? { upsampled: large } : {};
  if (rows.length === 0) return { heatMap, indices: null, box: [0, 0, 1, 1], ...upsampled };
  const indices = [rows[0], columns[0], rows.at(-1)!, columns.at(-1)!];
  const sizes = [height, width, height, width];
  return { heatMap, indices, box: indices.map((index, i) => index / sizes[i]), ...upsampled };
}
