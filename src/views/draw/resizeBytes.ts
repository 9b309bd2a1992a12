import type { PixelImage } from "../../core/pixels.ts";
import type { Rectangle, Size } from "../crop/crop.ts";
import { type Kernels, openKernels } from "./kernels.ts";
import { byteResampling, type Interpolation } from "./resize.ts";

/** Resizes images of 8 bits to `to` and gives the part of the result that `window` is, as bytes [height, width, 3]. */
export type ByteResizer = (image: PixelImage, to: Size, window: Rectangle) => Uint8Array;

const BAND = 2 ** 20; // bytes of an image that are in the memory of the kernels at a time
const aligned = (bytes: number) => Math.ceil(bytes / 16) * 16;

type Table = ReturnType<typeof byteResampling>;

/** Writes a table; returns where its parts are and where there is room behind. */
function writeTable(kernels: Kernels, at: number, { first, weight }: Table) {
  const weights = at + 4 * first.length;
  kernels.ints().set(first, at / 4);
  kernels.ints().set(weight, weights / 4);
  return { first: at, weights, end: aligned(weights + 4 * weight.length) };
}

/**
 * A function that resizes as PIL does, to the bit: across, rounded to bytes, then down, rounded again, smoothed where it
 * shrinks. Only what the window needs is computed. What it returns is good until the next call.
 */
export function createByteResizer(interpolation: Interpolation): ByteResizer {
  const kernels = openKernels(4096);
  return (image, to, window) => {
    const across = byteResampling([image.width, to.width], [window.x, window.width], interpolation);
    const down = byteResampling(
      [image.height, to.height],
      [window.y, window.height],
      interpolation,
    );
    const top = down.first[0];
    const lines = down.first[window.height - 1] + down.taps - top;
    down.first.forEach((line, i) => (down.first[i] = line - top));
    const [stride, width] = [3 * image.width, 3 * window.width];
    const band = Math.min(lines, Math.max(1, Math.floor(BAND / stride)));
    const tables =
      4 * (across.first.length + across.weight.length + down.first.length + down.weight.length);
    const room = tables + band * stride + (lines + window.height) * width;
    kernels.reserve(room + 256);
    const acrossAt = writeTable(kernels, 0, across);
    const downAt = writeTable(kernels, acrossAt.end, down);
    const from = downAt.end;
    const between = aligned(from + band * stride + 16);
    const out = aligned(between + lines * width + 16);
    for (let line = 0; line < lines; line += band) {
      const count = Math.min(band, lines - line);
      const start = (top + line) * stride;
      kernels.bytes().set(image.data.subarray(start, start + count * stride), from);
      kernels.resizeAcross(
        ...[from, stride, count, window.width, acrossAt.first, acrossAt.weights, across.taps],
        between + line * width,
      );
    }
    kernels.resizeDown(
      ...[between, width, window.height, downAt.first, downAt.weights, down.taps, out],
    );
    return kernels.bytes().subarray(out, out + window.height * width);
  };
}
