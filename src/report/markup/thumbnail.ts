import { DataError } from "../../core/errors.ts";
import type { Thumbnail } from "../reportData.ts";
import { html, type Html, trustedMarkup } from "./html.ts";

const embedded = /^data:image\/(png|jpeg|webp|gif|avif);base64,[A-Za-z0-9+/]+={0,2}$/;

/** A picture that the page holds itself; anything it would have to load is refused. */
export function picture(thumbnail: Thumbnail, description: string): Html {
  const { source, path } = thumbnail;
  if (typeof source !== "string" || !embedded.test(source)) {
    throw new DataError(
      `renderReport: a thumbnail must be a base64 data URI of a PNG, JPEG, WebP, GIF or AVIF picture, got "${String(source).slice(0, 40)}"${path === undefined ? "" : ` for ${path}`}.`,
      "Embed the picture: `data:image/png;base64,` followed by its bytes.",
    );
  }
  const title = path === undefined ? "" : html` title="${path}"`;
  return html`<img src="${trustedMarkup(source)}" alt="${description}" ${title} />`;
}
