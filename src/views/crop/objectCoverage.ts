import type { Box, Rectangle, Size } from "./crop.ts";

/** Share in [0, 1] of an object's box that lies within a crop. An empty box lies in no crop. */
export function objectCoverage(crop: Rectangle, object: Box, source: Size): number {
  const { width, height } = source;
  const across =
    Math.min(crop.x + crop.width, object.right * width) - Math.max(crop.x, object.left * width);
  const down =
    Math.min(crop.y + crop.height, object.bottom * height) - Math.max(crop.y, object.top * height);
  const area = (object.right - object.left) * width * (object.bottom - object.top) * height;
  return area > 0 ? (Math.max(0, across) * Math.max(0, down)) / area : 0;
}
