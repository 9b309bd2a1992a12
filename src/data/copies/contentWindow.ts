import type { PixelImage } from "../../core/pixels.ts";
import type { Window } from "./areaTable.ts";

const WIDEST = 0.4; // of the picture, a border on one side
const TOLERANCE = 12; // grey levels from the mean colour of the edge
const STRAY = 0.02; // of the pixels of a line may be of another colour

type Line = { readonly start: number; readonly step: number; readonly length: number };

function meanColour(data: Uint8Array, { start, step, length }: Line): number[] {
  const sums = [0, 0, 0];
  for (let i = 0, at = start; i < length; i++, at += step) {
    for (let c = 0; c < 3; c++) sums[c] += data[at + c];
  }
  return sums.map((sum) => sum / length);
}

function isUniform(data: Uint8Array, { start, step, length }: Line, colour: readonly number[]) {
  let stray = 0;
  for (let i = 0, at = start; i < length; i++, at += step) {
    const same =
      Math.abs(data[at] - colour[0]) <= TOLERANCE &&
      Math.abs(data[at + 1] - colour[1]) <= TOLERANCE &&
      Math.abs(data[at + 2] - colour[2]) <= TOLERANCE;
    if (!same && ++stray > STRAY * length) return false;
  }
  return true;
}

/** Number of lines from an edge inwards that are of the colour of the edge. */
function borderWidth(data: Uint8Array, size: number, line: (at: number) => Line): number {
  const colour = meanColour(data, line(0));
  const most = Math.floor(WIDEST * size);
  let width = 0;
  while (width < most && isUniform(data, line(width), colour)) width++;
  return width;
}

/** The part of a picture within its uniform borders; all of it where it has none. */
export function contentWindow({ width, height, data }: PixelImage): Window {
  const row = (y: number): Line => ({ start: 3 * y * width, step: 3, length: width });
  const column = (x: number): Line => ({ start: 3 * x, step: 3 * width, length: height });
  return [
    borderWidth(data, width, column) / width,
    borderWidth(data, height, row) / height,
    1 - borderWidth(data, width, (x) => column(width - 1 - x)) / width,
    1 - borderWidth(data, height, (y) => row(height - 1 - y)) / height,
  ];
}
