import type { PixelImage } from "../../core/pixels.ts";
import { type AreaTable, cellTable, luminanceTable, type Window } from "./areaTable.ts";
import type { Candidate } from "./candidates.ts";
import { compareCells, fit, isWhole, lay, type Laid, type Overlay } from "./overlay.ts";
import { type Portrait, portraitSide } from "./portrait.ts";

/** Pictures to be compared, by number. The pixels of one are good until the next are read. */
export type Pictures = { readonly count: number; read(index: number): PixelImage };

const TABLES = 64; // held
const ASPECT = 0.08; // by which the aspects of a picture and of what is laid on it may differ, relative

const LIKENESS = 0.9;
const AGREEMENT = 0.6;

/** Whether two pictures that lie on each other are one: their details correlate, or most are the same but for some that were changed. */
export const isCopy = ({ likeness, agreement }: Laid): boolean =>
  likeness >= LIKENESS || agreement >= AGREEMENT;

function shape(aspect: number, [left, top, right, bottom]: Window): number {
  return Math.log((aspect * (right - left)) / (bottom - top));
}

/** Tables of pictures, made when needed; those of the last few are kept. */
function tablesOf(pictures: Pictures) {
  const kept = new Map<number, AreaTable>();
  return (index: number): AreaTable => {
    const table = kept.get(index) ?? luminanceTable(pictures.read(index), Infinity);
    kept.delete(index);
    if (kept.size >= TABLES) kept.delete(kept.keys().next().value!);
    kept.set(index, table);
    return table;
  };
}

/** Lays candidates on pictures: gives what that shows, or undefined where they do not fit. */
export type Prover = (image: number, candidate: Candidate) => Laid | undefined;

/** Compares candidates with pictures by their pixels; those that cannot be copies only by their portraits. */
export function prover(pictures: Pictures, portraits: readonly Portrait[]): Prover {
  const tableOf = tablesOf(pictures);
  const cellsOf = (image: number, face: number) =>
    Float32Array.from(portraits[image].faces[face].cells);
  const sameShape = (a: number, b: number, { turn, ours, theirs }: Overlay, by: number) => {
    const [one, other] = [shape(portraits[a].aspect, ours), shape(portraits[b].aspect, theirs)];
    return Math.abs(one - ((turn & 4) === 0 ? other : -other)) <= by;
  };
  return (image, { other, face, overlay }) => {
    if (isWhole(overlay)) {
      const evidence = compareCells(cellsOf(image, 0), cellsOf(other, 0), overlay.turn);
      return { ...evidence, overlay };
    }
    if (!sameShape(image, other, overlay, 2 * ASPECT)) return undefined;
    const small = cellTable(portraits[image].faces[0].cells, portraitSide);
    const fitted = fit(small, cellsOf(other, face), overlay);
    if (fitted === undefined || !sameShape(image, other, fitted, ASPECT)) return undefined;
    const laid = lay(tableOf(image), tableOf(other), fitted);
    return sameShape(image, other, laid.overlay, ASPECT) ? laid : undefined;
  };
}
