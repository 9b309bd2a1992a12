import { align } from "./align.ts";
import { type AreaTable, cellMeans, halved, type Window, whole } from "./areaTable.ts";
import { areUnlike, type Evidence, evidenceOf, sketchOf } from "./evidence.ts";
import { type Face, FINE, portraitSide } from "./portrait.ts";
import { type Turn, turnBack, turnCells, turns } from "./turns.ts";

/** How one picture may lie on another: a window of the second shows a window of the first, turned. */
export type Overlay = {
  readonly turn: Turn; // makes the first lie as the second
  readonly ours: Window; // of the first
  readonly theirs: Window; // of the second
};

/** Two pictures laid on each other: where, and what that shows. */
export type Laid = Evidence & { readonly overlay: Overlay };

const COARSE = 16; // cells
const SIDE = portraitSide; // cells in which details are compared
const BROAD = 6;
const FEW = 0.03; // of the cells have details
const SURELY = { few: FEW, unlike: 0.25 };
const SURELY_COARSE = { few: FEW, unlike: 0.6 }; // planted copies reach 0.8

/** Whether an overlay is of all of both pictures, so that there is nothing to align. */
export const isWhole = ({ ours, theirs }: Overlay): boolean => ours === whole && theirs === whole;

function compared(a: Float32Array, b: Float32Array, side: number): Evidence {
  const fine = evidenceOf(a, b, side, FINE);
  if (fine.texture >= FEW) return fine;
  // soft pictures have no fine details; the broad ones are few, so that they must be the same
  const broad = evidenceOf(a, b, side, (BROAD * side) / SIDE);
  const same = broad.texture >= FEW && broad.likeness >= 0.98 && broad.agreement >= 0.97;
  return same ? broad : { likeness: 0, agreement: 0, texture: broad.texture };
}

/** For each turn the place in the second picture [side, side] that lies on each of the first. */
const placesOf = (side: number) =>
  turns.map((turn) => {
    const numbers = Float32Array.from({ length: side * side }, (_, i) => i);
    return Uint16Array.from(turnCells(numbers, side, turnBack(turn)));
  });
const [places, coarsePlaces] = [placesOf(SIDE), placesOf(COARSE)];

/** Whether faces, the second lying as a turn of the first, are surely of no copies. */
export const surelyOthers = (a: Face, b: Face, turn: Turn, small: boolean): boolean =>
  small
    ? areUnlike(a.coarse, b.coarse, coarsePlaces[turn], SURELY_COARSE)
    : areUnlike(a.sketch, b.sketch, places[turn], SURELY);

type Cells = Float32Array | Uint8Array;

/**
 * Compares the details of two pictures of portraitSide × portraitSide cells, the second lying as a turn of the
 * first. `small` pictures have none as fine as these cells.
 */
export function compareCells(a: Cells, b: Cells, turn: Turn, small: boolean): Evidence {
  const back = turnBack(turn);
  return small
    ? compared(halved(a, SIDE), turnCells(halved(b, SIDE), COARSE, back), COARSE)
    : compared(new Float32Array(a), turnCells(new Float32Array(b), SIDE, back), SIDE);
}

/** Moves the window of the first picture, drawn small, to where a face of the second fits; undefined where it does not. */
export function fit(table: AreaTable, face: Face, overlay: Overlay): Overlay | undefined {
  const { turn } = overlay;
  const target = turnCells(halved(face.cells, SIDE), COARSE, turnBack(turn));
  const { window, likeness } = align(table, target, COARSE, overlay.ours, 4);
  if (likeness < 0.93) return undefined;
  const details = sketchOf(cellMeans(table, window, COARSE), COARSE, FINE);
  const unlike = areUnlike(details, face.coarse, coarsePlaces[turn], SURELY_COARSE);
  return unlike ? undefined : { ...overlay, ours: window };
}

/** Lays the second picture on the first, by all their pixels. */
export function lay(a: AreaTable, b: AreaTable, overlay: Overlay, small: boolean): Laid {
  const { turn, theirs } = overlay;
  const cells = cellMeans(b, theirs, SIDE);
  const target = turnCells(cells, SIDE, turnBack(turn));
  const { window } = align(a, target, SIDE, overlay.ours, 5);
  const evidence = compareCells(cellMeans(a, window, SIDE), cells, turn, small);
  return { ...evidence, overlay: { turn, ours: window, theirs } };
}
