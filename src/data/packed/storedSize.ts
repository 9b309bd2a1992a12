import type { PixelSettings } from "./packOptions.ts";

/** What decides the size of a stored image. */
export type StoredSides = Pick<PixelSettings, "size" | "longest" | "minimum">;

/**
 * Size at which an image is stored: its shorter side `size`, its longer at most `longest`, same aspect.
 *
 * Images are never enlarged unless their shorter side is under `minimum`; nothing gets under one pixel.
 */
export function storedSize(
  width: number,
  height: number,
  { size, longest, minimum }: StoredSides,
): { width: number; height: number } {
  const [short, long] = [Math.min(width, height), Math.max(width, height)];
  const wanted = short < minimum ? minimum / short : Math.min(1, size / short);
  const scale = Math.min(wanted, longest / long);
  const scaled = (side: number) => Math.max(1, Math.round(side * scale));
  return { width: scaled(width), height: scaled(height) };
}
