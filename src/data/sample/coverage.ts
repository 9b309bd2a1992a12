import sharp from "sharp";

/** Images on one sheet; a sheet is rendered as one SVG, which is far faster than image by image. */
export function imagesOnSheet(side: number): number {
  return columnsOf(side) ** 2;
}

function columnsOf(side: number): number {
  return Math.max(1, Math.min(8, Math.floor(1024 / side)));
}

/** A square cut out of a sheet: `data[(y * side + x) * 3 + channel]` in [0, 255]. */
export type Coverage = Uint8Array;

/**
 * Renders SVG elements, each in its slot of a sheet, and cuts the sheet up. `tiles[slot]` undefined
 * leaves a slot empty. A slot's pixels do not depend on the other slots.
 */
export async function renderCoverage(
  tiles: readonly (string | undefined)[],
  side: number, // pixels
): Promise<(Coverage | undefined)[]> {
  const columns = columnsOf(side);
  const rows = Math.ceil(tiles.length / columns);
  const [width, height] = [columns * side, rows * side];
  const place = (slot: number) => [(slot % columns) * side, Math.floor(slot / columns) * side];
  const nested = tiles.map((elements, slot) => {
    const [x, y] = place(slot);
    return elements === undefined
      ? ""
      : `<svg x="${x}" y="${y}" width="${side}" height="${side}">${elements}</svg>`;
  });
  const open = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">`;
  const svg = `${open}<rect width="100%" height="100%"/>${nested.join("")}</svg>`;
  const { data } = await sharp(Buffer.from(svg))
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return tiles.map((elements, slot) => {
    if (elements === undefined) return undefined;
    const [x, y] = place(slot);
    const tile = new Uint8Array(side * side * 3);
    for (let row = 0; row < side; row++) {
      const from = ((y + row) * width + x) * 3;
      tile.set(data.subarray(from, from + side * 3), row * side * 3);
    }
    return tile;
  });
}
