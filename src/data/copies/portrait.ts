import type { PixelImage } from "../../core/pixels.ts";
import { cellMeans, luminanceTable, whole, type Window } from "./areaTable.ts";
import { contentWindow } from "./contentWindow.ts";
import { gistOf } from "./gist.ts";

/** Cells of a portrait each way. */
export const portraitSide = 32;

/** A picture, or what lies within its borders, drawn small and grey. */
export type Face = {
  readonly cells: Uint8Array; // [portraitSide, portraitSide]
  readonly gist: Float32Array; // [gistSize]
};

/** What is kept of a picture to find its copies: 1 to 2 KiB. */
export type Portrait = {
  readonly faces: readonly Face[]; // all of it, then what lies within its borders, where it has some
  readonly content: Window; // the part within the borders
  readonly aspect: number; // width over height
  readonly small: boolean; // has no details as fine as the cells of a face
  readonly colour: number; // mean of the largest less the smallest channel, 0 for grey pictures
};

const SLIGHT = 0.015; // of the width and height together: no border

function colourOf({ data }: PixelImage): number {
  let sum = 0;
  let count = 0;
  for (let at = 0; at + 2 < data.length; at += 3 * 37, count++) {
    const [r, g, b] = [data[at], data[at + 1], data[at + 2]];
    sum += Math.max(r, g, b) - Math.min(r, g, b);
  }
  return sum / count;
}

function rounded(cells: Float32Array): Uint8Array {
  const whole = new Uint8Array(cells.length);
  for (let i = 0; i < cells.length; i++) whole[i] = cells[i] + 0.5;
  return whole;
}

/** Draws the portrait of an image. */
export function drawPortrait(image: PixelImage): Portrait {
  const table = luminanceTable(image, 2 * portraitSide);
  const content = contentWindow(image);
  const [left, top, right, bottom] = content;
  const face = (window: Window): Face => ({
    cells: rounded(cellMeans(table, window, portraitSide)),
    gist: gistOf(table, window),
  });
  const bordered = left + top + 1 - right + 1 - bottom > SLIGHT;
  const faces = bordered ? [face(whole), face(content)] : [face(whole)];
  return {
    faces,
    content: bordered ? content : whole,
    aspect: image.width / image.height,
    small: Math.min(image.width, image.height) < 1.5 * portraitSide,
    colour: colourOf(image),
  };
}
