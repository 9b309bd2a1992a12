import type { Context, Hono } from "hono";

import type { PixelImage } from "../core/pixels.ts";
import { encodePng, encodeWebp, resizeImage } from "../data/index.ts";
import type { Galleries, Gallery } from "./galleries.ts";
import { gone } from "./runRoutes.ts";

const LARGEST = 4096; // pixels of the longer side of an original

/** A number of a path, below a limit; undefined where it is none. */
export function numberIn(c: Context, name: string, below: number): number | undefined {
  const text = c.req.param(name) ?? c.req.query(name) ?? "";
  const value = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
  return value < below ? value : undefined;
}

/** A picture as an answer. */
export async function pictureAnswer(
  c: Context,
  image: PixelImage | undefined,
  { exact = false, seconds = 600 }: { exact?: boolean; seconds?: number } = {},
): Promise<Response> {
  if (image === undefined) return gone(c, "picture");
  const bytes = exact ? await encodePng(image) : await encodeWebp(image, 85);
  c.header("Cache-Control", `private, max-age=${seconds}`);
  const type = exact ? "image/png" : "image/webp";
  return c.body(new Uint8Array(bytes), 200, { "Content-Type": type });
}

/** An image whose longer side is at most `most` pixels. */
async function atMost(image: PixelImage, most: number): Promise<PixelImage> {
  const scale = most / Math.max(image.width, image.height);
  if (scale >= 1) return image;
  const side = (length: number) => Math.max(1, Math.round(length * scale));
  return resizeImage(image, side(image.width), side(image.height));
}

/** What the page asks of the images of a place. */
export function addImages(app: Hono, galleries: Galleries): void {
  const pictureOf =
    (read: (gallery: Gallery, row: number) => Promise<PixelImage | undefined>, exact: boolean) =>
    async (c: Context): Promise<Response> => {
      const gallery = await galleries.of(c.req.param("place") ?? "");
      const row = gallery && numberIn(c, "row", gallery.count);
      if (gallery === undefined || row === undefined) return gone(c, "image");
      const image = await read(gallery, row);
      const most = numberIn(c, "side", LARGEST) ?? LARGEST;
      return pictureAnswer(c, image && (await atMost(image, Math.max(16, most))), { exact });
    };
  app.get(
    "/api/places/:place/images/:row",
    pictureOf((gallery, row) => gallery.picture(row), false),
  );
  app.get(
    "/api/places/:place/originals/:row",
    pictureOf((gallery, row) => gallery.original(row), true),
  );
}
