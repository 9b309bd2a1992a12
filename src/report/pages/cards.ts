import { grouped } from "../markup/figures.ts";
import { html, type Html } from "../markup/html.ts";
import { picture } from "../markup/thumbnail.ts";
import type { Shown } from "./pageData.ts";

function image({ source, path, label }: Shown, description: string): Html {
  if (source === undefined) return html`<span class="gone">no picture</span>`;
  return picture({ source, path, label }, description);
}

/** Only places beside the page are linked to, never an address of another kind. */
const isRelative = (link: string) => !/^[a-z][a-z0-9+.-]*:|^\/\//i.test(link);

/** A picture with its label, similarity and path; a link to the original where there is one. */
export function card(shown: Shown, description: string, kind = ""): Html {
  const { path, label, similarity, note, link } = shown;
  const inner = image(shown, description);
  const linked =
    link !== undefined && isRelative(link) ? html`<a href="${link}">${inner}</a>` : inner;
  return html`<figure class="card ${kind}">
    ${linked}
    <figcaption>
      <b>${label ?? note ?? ""}</b>
      ${similarity !== undefined && html`<span>${grouped(similarity, 3)}</span>`}
      <small>${path}</small>
      ${label !== undefined && note !== undefined && html`<small>${note}</small>`}
    </figcaption>
  </figure>`;
}

/** Pictures in rows, as many beside each other as fit. */
export const cards = (all: readonly Html[]): Html => html`<div class="cards">${all}</div>`;
