import type { PixelImage } from "../../../core/pixels.ts";
import {
  type AreaTable,
  cellMeans,
  cellTable,
  luminanceTable,
  type Window,
  whole,
} from "./areaTable.ts";
import type { Candidate } from "./candidates.ts";
import { changedCells } from "./evidence.ts";
import {
  compareCells,
  fit,
  isWhole,
  lay,
  type Laid,
  type Overlay,
  surelyOthers,
} from "./overlay.ts";
import { type PortraitOf, portraitSide, SMALL } from "./portrait.ts";
import { type ToneMiss, toneMiss } from "./tones.ts";
import { turnBack, turnCells } from "./turns.ts";

/** Pictures to be compared, by number. The pixels of one are good until the next are read. */
export type Pictures = { readonly count: number; read(index: number): PixelImage };

/** Two pictures, by number, that lie on each other. A window of the first shows what the second shows. */
export type Pair = Laid & {
  readonly a: number;
  readonly b: number;
  readonly greys: readonly [number, number]; // mean grey levels of what both show
};

const HELD = 2 ** 24; // pixels of the tables that are held, 8 bytes each
const ASPECT = 0.08; // by which the aspects of a picture and of what is laid on it may differ, relative
const LIKE = 0.88; // likeness and agreement of which no strictness takes less
const AGREEING = 0.45;
const DETAILED = 128; // pixels of the shorter side from which cells are compared twice as fine

function shape(aspect: number, [left, top, right, bottom]: Window): number {
  return Math.log((aspect * (right - left)) / (bottom - top));
}

/** Tables of pictures, made when needed; as many of the last ones are kept as hold `HELD` pixels. */
function tablesOf(pictures: Pictures) {
  const kept = new Map<number, AreaTable>();
  let held = 0;
  const add = (index: number): AreaTable => {
    const table = luminanceTable(pictures.read(index), Infinity);
    held += table.sums.length;
    for (const [oldest, { sums }] of kept) {
      if (held <= HELD) break;
      kept.delete(oldest);
      held -= sums.length;
    }
    return table;
  };
  return (index: number): AreaTable => {
    const table = kept.get(index) ?? add(index);
    kept.delete(index);
    kept.set(index, table);
    return table;
  };
}

type Laying = { a: number; b: number; face: number; overlay: Overlay; framed: boolean };

/** With the picture that lies within the other as the second: all of it is seen. */
function outerFirst(a: number, { other: b, face, overlay }: Candidate): Laying {
  const { turn, ours, theirs } = overlay;
  if (ours !== whole || theirs === whole) return { a, b, face, overlay, framed: false };
  const turned: Overlay = { turn: turnBack(turn), ours: theirs, theirs: whole };
  return { a: b, b: a, face: 0, overlay: turned, framed: true };
}

/** Compares pictures by their pixels. */
export type Prover = {
  /** Lays a candidate on a picture: what that shows, or undefined where it does not fit. */
  readonly prove: (image: number, candidate: Candidate) => Pair | undefined;
  /** Places at which two pictures that are laid on each other were changed, of 16 × 16 to 64 × 64. */
  readonly changed: (pair: Pair) => number;
  /** How far the tones of two pictures that are laid on each other differ; undefined where they have hardly any. */
  readonly tones: (pair: Pair) => ToneMiss | undefined;
};

/** Compares candidates with pictures; those that cannot be copies by their portraits alone. */
export function prover(pictures: Pictures, portraitOf: PortraitOf): Prover {
  const tableOf = tablesOf(pictures);
  const cellsOf = (image: number, face: number) =>
    new Float32Array(portraitOf(image).faces[face].cells);
  const isSmall = (a: number, b: number) => portraitOf(a).small || portraitOf(b).small;
  const sameShape = (a: number, b: number, { turn, ours, theirs }: Overlay, by: number) => {
    const one = shape(portraitOf(a).aspect, ours);
    const other = shape(portraitOf(b).aspect, theirs);
    return Math.abs(one - ((turn & 4) === 0 ? other : -other)) <= by;
  };
  let drawn = { image: -1, table: cellTable(new Uint8Array(0), 0) };
  /** The table of a portrait; candidates of one picture come one after another. */
  const smallTable = (image: number) => {
    if (drawn.image !== image) {
      drawn = { image, table: cellTable(portraitOf(image).faces[0].cells, portraitSide) };
    }
    return drawn.table;
  };
  const greyOf = (image: number, window: Window) => cellMeans(smallTable(image), window, 1)[0];
  const pairOf = (a: number, b: number, laid: Laid): Pair | undefined => {
    const { ours, theirs } = laid.overlay;
    if (laid.likeness < LIKE && laid.agreement < AGREEING) return undefined;
    return { a, b, ...laid, greys: [greyOf(a, ours), greyOf(b, theirs)] };
  };
  const prove = (image: number, candidate: Candidate): Pair | undefined => {
    const { a, b, face, overlay, framed } = outerFirst(image, candidate);
    if (isWhole(overlay)) {
      const [ours, theirs] = [portraitOf(a).faces[0], portraitOf(b).faces[0]];
      if (surelyOthers(ours, theirs, overlay.turn, isSmall(a, b))) return undefined;
      const evidence = compareCells(cellsOf(a, 0), cellsOf(b, 0), overlay.turn, isSmall(a, b));
      return pairOf(a, b, { ...evidence, overlay });
    }
    if (!sameShape(a, b, overlay, 2 * ASPECT)) return undefined;
    const fitted = framed ? overlay : fit(smallTable(a), cellsOf(b, face), overlay);
    if (fitted === undefined || !sameShape(a, b, fitted, ASPECT)) return undefined;
    const laid = lay(tableOf(a), tableOf(b), fitted, isSmall(a, b));
    return sameShape(a, b, laid.overlay, ASPECT) ? pairOf(a, b, laid) : undefined;
  };
  const changed = ({ a, b, overlay }: Pair): number => {
    const [ours, theirs] = [tableOf(a), tableOf(b)];
    const short = Math.min(ours.width, ours.height, theirs.width, theirs.height);
    const fine = short < DETAILED ? portraitSide : 2 * portraitSide;
    const side = short < SMALL ? portraitSide / 2 : fine;
    const cells = turnCells(cellMeans(theirs, overlay.theirs, side), side, turnBack(overlay.turn));
    return changedCells(cellMeans(ours, overlay.ours, side), cells, side);
  };
  const tones = ({ a, b, overlay }: Pair) => {
    const first = pictures.read(a);
    const kept = { ...first, data: first.data.slice() };
    return toneMiss(kept, pictures.read(b), overlay);
  };
  return { prove, changed, tones };
}
