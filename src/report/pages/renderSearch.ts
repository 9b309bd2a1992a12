import { renderDocument } from "../markup/document.ts";
import { counted } from "../markup/figures.ts";
import { html, type Html } from "../markup/html.ts";
import { factList, section } from "../sections/section.ts";
import { card, cards } from "./cards.ts";
import type { SearchPage } from "./pageData.ts";

const nameOf = (path: string | undefined) => path?.split("/").at(-1) ?? "an image";

function header({ query, condition, facts, hits }: SearchPage): Html {
  const where = condition === undefined ? "" : `, where ${condition}`;
  const rows = facts.map(({ name, value }) => [name, value] as const);
  return html`<header class="asked">
    ${card({ ...query, similarity: undefined }, "The picture that was asked with", "query")}
    <div>
      <p class="kind">Search by picture</p>
      <h1>${nameOf(query.path)}</h1>
      <p class="lead">${counted(hits.length, "nearest image")}${where}.</p>
      ${rows.length > 0 && factList(rows)}
    </div>
  </header>`;
}

/** The page of a search: the picture asked with, and the images nearest to it. */
export function renderSearch(data: SearchPage): string {
  const found = data.hits.map((hit, i) => card(hit, `Number ${i + 1}: ${hit.path ?? ""}`));
  const none = html`<p class="note">No image fulfils the condition.</p>`;
  const { markup } = section(
    "hits",
    "Nearest images",
    "Nearest first; the number is the cosine similarity, 1 for the same direction.",
    found.length === 0 ? none : cards(found),
  );
  return renderDocument({
    title: `${nameOf(data.query.path)} – Contrapose search`,
    header: header(data),
    sections: [markup],
    footer: "This page holds all it shows.",
  });
}
