import type { PixelImage } from "../../../core/pixels.ts";
import { cellMeans, luminanceTable, whole, type Window } from "./areaTable.ts";
import { contentWindow } from "./contentWindow.ts";
import { sketchOf } from "./evidence.ts";
import { gistOf } from "./gist.ts";

/** Cells of a portrait each way. */
export const portraitSide = 32;

/** Cells around, from which the details of a cell differ. */
export const FINE = 2;

/** A picture, or what lies within its borders, drawn small and grey. */
export type Face = {
  readonly cells: Uint8Array; // [portraitSide, portraitSide]
  readonly sketch: Int8Array; // [portraitSide, portraitSide], by `sketchOf`
  readonly gist: Float32Array; // [gistSize]
};

/** What is kept of a picture to find its copies: 2 to 4 KiB. */
export type Portrait = {
  readonly faces: readonly Face[]; // all of it, then what lies within its borders, where it has some
  readonly content: Window; // the part within the borders
  readonly aspect: number; // width over height
  readonly small: boolean; // has no details as fine as the cells of a face
  readonly colour: number; // mean of the largest less the smallest channel, under `COLOURLESS` for grey pictures
  readonly drawn: boolean; // on a ground of one grey, as a form, a drawing or a sign
};

/** Gives the portrait of a picture by its number. */
export type PortraitOf = (picture: number) => Portrait;

/** Mean of the largest less the smallest channel under which a picture is grey. */
export const COLOURLESS = 3;
const DRAWN = 0.3; // of the cells of a form or drawing are of the grey of its ground
const GROUND = 1; // grey level from that
/** Pixels of the shorter side under which a picture has no details as fine as the cells of a face. */
export const SMALL = 1.5 * portraitSide;
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

/** Whether many cells are of one grey: of photos hardly one in fifty is so. */
function isDrawn(cells: Uint8Array): boolean {
  const upTo = new Int32Array(256 + 2 * GROUND + 1); // cells of a level below each, GROUND later
  for (const level of cells) upTo[level + GROUND + 1]++;
  for (let i = 1; i < upTo.length; i++) upTo[i] += upTo[i - 1];
  for (let level = 0; level < 256; level++) {
    if (upTo[level + 2 * GROUND + 1] - upTo[level] > DRAWN * cells.length) return true;
  }
  return false;
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
  const face = (window: Window): Face => {
    const cells = rounded(cellMeans(table, window, portraitSide));
    const sketch = sketchOf(new Float32Array(cells), portraitSide, FINE);
    return { cells, sketch, gist: gistOf(table, window) };
  };
  const bordered = left + top + 1 - right + 1 - bottom > SLIGHT;
  const faces = bordered ? [face(whole), face(content)] : [face(whole)];
  return {
    faces,
    content: bordered ? content : whole,
    aspect: image.width / image.height,
    small: Math.min(image.width, image.height) < SMALL,
    colour: colourOf(image),
    drawn: isDrawn(faces[0].cells),
  };
}
