import type { PixelImage } from "../../../core/pixels.ts";

/** Sums of a grey picture above and left of each corner of its pixels, so that the mean of a box takes four look-ups. */
export type AreaTable = {
  readonly width: number; // pixels, the last of which may be there in part
  readonly height: number; // pixels
  readonly sums: Float64Array; // [⌈height⌉ + 1, ⌈width⌉ + 1]
};

/** Part of a picture: left, top, right and bottom as shares of its width and height. */
export type Window = readonly [left: number, top: number, right: number, bottom: number];

/** All of a picture. */
export const whole: Window = [0, 0, 1, 1];

/** Adds the luminance of a row of pixels to blocks of `size` pixels, 256 times 0 … 255 each. */
function addRow(data: Uint8Array, start: number, end: number, size: number, blocks: Float64Array) {
  const last = blocks.length - 1;
  let at = start;
  for (let block = 0; block <= last; block++) {
    const next = block === last ? end : at + 3 * size;
    let sum = 0;
    for (; at < next; at += 3) sum += 77 * data[at] + 150 * data[at + 1] + 29 * data[at + 2];
    blocks[block] += sum;
  }
}

const LUMINANCE = [77, 150, 29] as const; // of 256

/** The table of a weighted sum of the channels of each pixel; weights are shares of 256. */
export function channelTable(
  { width, height, data }: PixelImage,
  [red, green, blue]: readonly [number, number, number],
): AreaTable {
  const sums = new Float64Array((width + 1) * (height + 1));
  for (let y = 0, at = 0; y < height; y++) {
    let row = 0;
    const end = (y + 2) * (width + 1);
    for (let to = end - width, above = to - width - 1; to < end; to++, above++, at += 3) {
      row += red * data[at] + green * data[at + 1] + blue * data[at + 2];
      sums[to] = sums[above] + row / 256;
    }
  }
  return { width, height, sums };
}

/** The table of a picture's luminance, 0 … 255. Of one whose shorter side is more than twice `enough`, blocks are taken for pixels. */
export function luminanceTable(image: PixelImage, enough: number): AreaTable {
  const { width, height, data } = image;
  const size = Math.max(1, Math.floor(Math.min(width, height) / enough));
  if (size === 1) return channelTable(image, LUMINANCE);
  const [columns, rows] = [Math.ceil(width / size), Math.ceil(height / size)];
  const sums = new Float64Array((columns + 1) * (rows + 1));
  const blocks = new Float64Array(columns);
  const last = width - (columns - 1) * size; // pixels across the last block
  for (let y = 0; y < rows; y++) {
    const high = Math.min(size, height - y * size);
    blocks.fill(0);
    for (let line = y * size; line < y * size + high; line++) {
      addRow(data, 3 * line * width, 3 * (line + 1) * width, size, blocks);
    }
    const scale = 1 / (256 * high * size);
    const end = columns - 1;
    let row = 0;
    let to = (y + 1) * (columns + 1) + 1;
    for (let x = 0; x < end; x++, to++) {
      row += blocks[x] * scale;
      sums[to] = sums[to - columns - 1] + row;
    }
    row += blocks[end] / (256 * high * last);
    sums[to] = sums[to - columns - 1] + row;
  }
  return { width: width / size, height: height / size, sums };
}

/** The table of square cells [side, side]. */
export function cellTable(cells: Uint8Array, side: number): AreaTable {
  const sums = new Float64Array((side + 1) * (side + 1));
  for (let y = 0, at = 0; y < side; y++) {
    let row = 0;
    for (let x = 0, to = (y + 1) * (side + 1) + 1; x < side; x++, at++, to++) {
      row += cells[at];
      sums[to] = sums[to - side - 1] + row;
    }
  }
  return { width: side, height: side, sums };
}

/** Where the edges of `side` cells lie between two places: whole pixels, then what is left of one. */
function edges(from: number, to: number, size: number, side: number) {
  const pixels = new Int32Array(side + 1);
  const parts = new Float64Array(side + 1);
  for (let i = 0; i <= side; i++) {
    const place = Math.min(size, Math.max(0, (from + ((to - from) * i) / side) * size));
    pixels[i] = Math.min(Math.ceil(size) - 1, Math.floor(place));
    parts[i] = place - pixels[i];
  }
  return { pixels, parts };
}

/** Mean grey of the cells of a `side` × `side` grid over a window, [side, side]. Pixels at the edges of cells count in part. */
export function cellMeans(table: AreaTable, window: Window, side: number): Float32Array {
  const { width, height, sums } = table;
  const [left, top, right, bottom] = window;
  const across = edges(left, right, width, side);
  const down = edges(top, bottom, height, side);
  const stride = Math.ceil(width) + 1;
  let above = new Float64Array(side + 1);
  let below = new Float64Array(side + 1);
  const corners = (row: number, into: Float64Array) => {
    const share = down.parts[row];
    const start = down.pixels[row] * stride;
    for (let i = 0; i <= side; i++) {
      const at = start + across.pixels[i];
      const part = across.parts[i];
      const upper = sums[at] + (sums[at + 1] - sums[at]) * part;
      const lower = sums[at + stride] + (sums[at + stride + 1] - sums[at + stride]) * part;
      into[i] = upper + (lower - upper) * share;
    }
  };
  const means = new Float32Array(side * side);
  const area = Math.max(1e-9, (right - left) * width * (bottom - top) * height) / (side * side);
  corners(0, above);
  for (let y = 0; y < side; y++) {
    corners(y + 1, below);
    for (let x = 0; x < side; x++) {
      means[y * side + x] = (below[x + 1] - below[x] - above[x + 1] + above[x]) / area;
    }
    [above, below] = [below, above];
  }
  return means;
}
