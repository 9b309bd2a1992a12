import { alignment } from "./alignment.ts";
import type { Features } from "./features.ts";
import { nearestNeighbours } from "./nearest.ts";

/** First views (rows 2i) and second views (rows 2i + 1) of images. */
function sidesOf({ data, count, dimension }: Features): [Features, Features] {
  const side = (first: number): Features => {
    const half = new Float32Array((count / 2) * dimension);
    for (let i = 0; i < count / 2; i++) {
      const row = (2 * i + first) * dimension;
      half.set(data.subarray(row, row + dimension), i * dimension);
    }
    return { data: half, count: count / 2, dimension };
  };
  return [side(0), side(1)];
}

/** Alignment of the views of each image, which stand in rows 2i and 2i + 1. */
export const pairAlignment = (pairs: Features): number => alignment(...sidesOf(pairs));

/** Share of images of whose first view the nearest second view is their own; 1 / images by chance. */
export function viewAgreement(pairs: Features): number {
  const [first, second] = sidesOf(pairs);
  const { indices } = nearestNeighbours(first, second, 1);
  return indices.filter((nearest, i) => nearest === i).length / first.count;
}
