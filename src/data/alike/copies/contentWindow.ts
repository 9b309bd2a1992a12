import type { PixelImage } from "../../../core/pixels.ts";
import type { Window } from "./areaTable.ts";

const WIDEST = 0.4; // of the picture, a border on one side
const TOLERANCE = 12; // grey levels from the mean of the edge
const STRAY = 0.02; // of the pixels of a line may be others

type Line = { readonly start: number; readonly step: number; readonly length: number };

// luminance alone: compression smears the colours of a picture into its border
const grey = (data: Uint8Array, at: number) =>
  0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2];

function meanGrey(data: Uint8Array, { start, step, length }: Line): number {
  let sum = 0;
  for (let i = 0, at = start; i < length; i++, at += step) sum += grey(data, at);
  return sum / length;
}

function isUniform(data: Uint8Array, { start, step, length }: Line, mean: number): boolean {
  let stray = 0;
  for (let i = 0, at = start; i < length; i++, at += step) {
    const differs = Math.abs(grey(data, at) - mean) > TOLERANCE;
    if (differs && ++stray > STRAY * length) return false;
  }
  return true;
}

/** Number of lines from an edge inwards that are of the grey of the edge. */
function borderWidth(data: Uint8Array, size: number, line: (at: number) => Line): number {
  const mean = meanGrey(data, line(0));
  const most = Math.floor(WIDEST * size);
  let width = 0;
  while (width < most && isUniform(data, line(width), mean)) width++;
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
