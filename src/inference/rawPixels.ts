import type { Features } from "../metrics/index.ts";
import { type ImageSource, imageRows, type ReadyRows } from "./embedder.ts";
import type { InputFormat } from "./format.ts";

/** Side of the images that stand for raw pixels. */
export const PIXEL_SIDE = 32;

/** The rows themselves as features, [count, 3 · side²]. */
export function rawRows(rows: ReadyRows, side: number): Features {
  const dimension = 3 * side * side;
  const data = new Float32Array(rows.count * dimension);
  for (let i = 0; i < rows.count; i++) rows.fill(i, data, i * dimension);
  return { data, count: rows.count, dimension };
}

/** Pixels as features: the centred square at 32 px, colours normalised, flattened to [count, 3072]. */
export const pixelFeatures = (
  images: ImageSource,
  format: InputFormat,
  indices?: ArrayLike<number>,
): Features =>
  rawRows(imageRows(images, { ...format, imageSize: PIXEL_SIDE }, indices), PIXEL_SIDE);
