import { align } from "./align.ts";
import { type AreaTable, cellMeans, type Window, whole } from "./areaTable.ts";
import { areUnlike, type Evidence, evidenceOf } from "./evidence.ts";
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

/** Whether an overlay is of all of both pictures, so that there is nothing to align. */
export const isWhole = ({ ours, theirs }: Overlay): boolean => ours === whole && theirs === whole;

/** Means of 2 × 2 of the SIDE × SIDE cells: [COARSE, COARSE]. */
function halved(cells: Float32Array): Float32Array {
  const means = new Float32Array(COARSE * COARSE);
  for (let y = 0, to = 0; y < SIDE; y += 2) {
    for (let x = 0, at = y * SIDE; x < SIDE; x += 2, at += 2, to++) {
      means[to] = (cells[at] + cells[at + 1] + cells[at + SIDE] + cells[at + SIDE + 1]) / 4;
    }
  }
  return means;
}

function compared(a: Float32Array, b: Float32Array, side: number): Evidence {
  const fine = evidenceOf(a, b, side, FINE);
  if (fine.texture >= FEW) return fine;
  // soft pictures have no fine details; the broad ones are few, so that they must be the same
  const broad = evidenceOf(a, b, side, (BROAD * side) / SIDE);
  const same = broad.texture >= FEW && broad.likeness >= 0.98 && broad.agreement >= 0.97;
  return same ? broad : { likeness: 0, agreement: 0, texture: broad.texture };
}

// for each turn the place in the second picture that lies on each of the first
const placesOf = turns.map((turn) => {
  const numbers = Float32Array.from({ length: SIDE * SIDE }, (_, i) => i);
  return Uint16Array.from(turnCells(numbers, SIDE, turnBack(turn)));
});

/** Whether faces, the second lying as a turn of the first, are surely of no copies; of small pictures it is not known. */
export const surelyOthers = (a: Face, b: Face, turn: Turn, small: boolean): boolean =>
  !small && areUnlike(a.sketch, b.sketch, placesOf[turn], FEW);

/**
 * Compares the details of two pictures of portraitSide × portraitSide cells, the second lying as a turn of the
 * first. `small` pictures have none as fine as these cells.
 */
export function compareCells(
  a: Float32Array,
  b: Float32Array,
  turn: Turn,
  small: boolean,
): Evidence {
  const back = turnCells(b, SIDE, turnBack(turn));
  return small ? compared(halved(a), halved(back), COARSE) : compared(a, back, SIDE);
}

/** Moves the window of the first picture, drawn small, to where the second [portraitSide, portraitSide] fits; undefined where it does not. */
export function fit(table: AreaTable, b: Float32Array, overlay: Overlay): Overlay | undefined {
  const target = turnCells(halved(b), COARSE, turnBack(overlay.turn));
  const { window, likeness } = align(table, target, COARSE, overlay.ours, 4);
  return likeness < 0.93 ? undefined : { ...overlay, ours: window };
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
