import type { PixelImage } from "../../core/pixels.ts";
import { resizeImage } from "../../data/index.ts";

/** Images in rows on a light ground; all are shown as squares of `side` pixels. */
export async function contactSheet(
  rows: readonly (readonly PixelImage[])[],
  side: number,
  gap = 6,
): Promise<PixelImage> {
  const columns = Math.max(...rows.map((row) => row.length));
  const width = gap + columns * (side + gap) + gap; // a wider gap after the first column
  const height = gap + rows.length * (side + gap);
  const data = new Uint8Array(width * height * 3).fill(244);
  for (const [y, row] of rows.entries()) {
    for (const [x, image] of row.entries()) {
      const shown = await resizeImage(square(image), side, side);
      const left = gap + x * (side + gap) + (x > 0 ? gap : 0);
      const top = gap + y * (side + gap);
      for (let line = 0; line < side; line++) {
        const from = line * side * 3;
        data.set(shown.data.subarray(from, from + side * 3), ((top + line) * width + left) * 3);
      }
    }
  }
  return { width, height, channels: 3, data };
}

/** The centred square of an image. */
export function square(image: PixelImage): PixelImage {
  const { width, height, data } = image;
  const side = Math.min(width, height);
  if (width === height) return image;
  const [left, top] = [Math.floor((width - side) / 2), Math.floor((height - side) / 2)];
  const cut = new Uint8Array(side * side * 3);
  for (let y = 0; y < side; y++) {
    const from = ((top + y) * width + left) * 3;
    cut.set(data.subarray(from, from + side * 3), y * side * 3);
  }
  return { width: side, height: side, channels: 3, data: cut };
}
