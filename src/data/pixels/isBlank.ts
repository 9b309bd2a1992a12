import type { PixelImage } from "../../core/pixels.ts";

/** Whether an image is of one colour. */
export function isBlank({ data }: PixelImage): boolean {
  for (let i = 3; i < data.length; i++) if (data[i] !== data[i - 3]) return false;
  return true;
}
