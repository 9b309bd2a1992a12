import { counted } from "../markup/figures.ts";
import { html, type Html } from "../markup/html.ts";
import { picture } from "../markup/thumbnail.ts";
import type { ReportData, ViewRow } from "../reportData.ts";
import { columnsFor, section, type Section } from "./section.ts";

/** Images and views drawn from them. */
export function views(given: ReportData["views"]): Section | undefined {
  const rows = given?.rows.filter((row) => row.views.length > 0) ?? [];
  if (rows.length === 0) return undefined;
  const intro =
    given?.note ??
    "Each row is one image, and views of it as the encoder sees them while training. What differs along a row is what the encoder learns to ignore.";
  return section("views", "Views", intro, html`<div class="strips">${rows.map(viewRow)}</div>`);
}

function viewRow({ original, views }: ViewRow): Html {
  const name = original.path ?? original.label;
  const of = name === undefined ? "an image" : name;
  return html`<div
    class="strip"
    style="--columns: ${columnsFor(views.length)}"
    role="group"
    aria-label="${counted(views.length, "view")} of ${of}"
  >
    <figure class="first">
      ${picture(original, of)}
      <figcaption>${original.label ?? "original"}</figcaption>
    </figure>
    ${views.map((view, i) => html`<figure>${picture(view, `View ${i + 1} of ${of}`)}</figure>`)}
  </div>`;
}
