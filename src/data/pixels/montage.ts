import type { PixelImage } from "../../core/pixels.ts";

/** How images are laid out. */
export type MontageOptions = {
  readonly columns?: number; // as many as make the picture about square
  readonly gap?: number; // pixels between and around the images; 2 by default
  readonly background?: readonly [red: number, green: number, blue: number]; // white by default
};

function place(picture: PixelImage, image: PixelImage, left: number, top: number): void {
  const bytes = 3 * image.width;
  for (let y = 0; y < image.height; y++) {
    const row = image.data.subarray(y * bytes, (y + 1) * bytes);
    picture.data.set(row, 3 * ((top + y) * picture.width + left));
  }
}

/** Lays images out in a grid, row by row, each in the middle of a cell of the largest width and height. */
export function montage(images: readonly PixelImage[], options: MontageOptions = {}): PixelImage {
  const { gap = 2, background = [255, 255, 255] } = options;
  const cellWidth = Math.max(1, ...images.map(({ width }) => width));
  const cellHeight = Math.max(1, ...images.map(({ height }) => height));
  const square = Math.ceil(Math.sqrt((images.length * cellHeight) / cellWidth));
  const columns = Math.max(1, Math.min(options.columns ?? square, images.length));
  const rows = Math.max(1, Math.ceil(images.length / columns));
  const width = gap + columns * (cellWidth + gap);
  const height = gap + rows * (cellHeight + gap);
  const data = new Uint8Array(3 * width * height); // [height, width, 3]
  for (let i = 0; i < data.length; i++) data[i] = background[i % 3];
  const picture: PixelImage = { width, height, channels: 3, data };
  images.forEach((image, i) => {
    const left = gap + (i % columns) * (cellWidth + gap) + ((cellWidth - image.width) >> 1);
    const row = Math.floor(i / columns);
    const top = gap + row * (cellHeight + gap) + ((cellHeight - image.height) >> 1);
    place(picture, image, left, top);
  });
  return picture;
}
