/**
 * One of the eight ways in which a picture can lie: 1 mirrors left and right, 2 top and bottom, 4 then swaps
 * rows and columns.
 */
export type Turn = number;

/** All of them, as it is first. */
export const turns: readonly Turn[] = [0, 1, 2, 3, 4, 5, 6, 7];

const words = [
  undefined,
  "mirrored",
  "mirrored and turned 180°",
  "turned 180°",
  "mirrored and turned 270°",
  "turned 270°",
  "turned 90°",
  "mirrored and turned 90°",
];

/** What a picture is after a turn: "mirrored", "turned 90°" (clockwise); undefined as it is. */
export const turnWord = (turn: Turn): string | undefined => words[turn];

/** Square cells [side, side] after a turn. */
export function turnCells(cells: Float32Array, side: number, turn: Turn): Float32Array {
  if (turn === 0) return cells;
  const turned = new Float32Array(side * side);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const [column, row] = (turn & 4) === 0 ? [x, y] : [y, x];
      const fromX = (turn & 1) === 0 ? column : side - 1 - column;
      const fromY = (turn & 2) === 0 ? row : side - 1 - row;
      turned[y * side + x] = cells[fromY * side + fromX];
    }
  }
  return turned;
}

/** The turn that undoes one. */
export const turnBack = (turn: Turn): Turn => (turn === 5 ? 6 : turn === 6 ? 5 : turn);
