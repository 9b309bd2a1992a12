import { grouped } from "../markup/figures.ts";
import { html, type Html } from "../markup/html.ts";
import { picture } from "../markup/thumbnail.ts";
import type { Neighbour, NeighbourRow, ReportData } from "../reportData.ts";
import { columnsFor, section, type Section } from "./section.ts";

/** Some images with those that the encoder puts nearest to them. */
export function neighbours(given: ReportData["neighbours"]): Section | undefined {
  const rows = given?.rows.filter((row) => row.neighbours.length > 0) ?? [];
  if (rows.length === 0) return undefined;
  const differ = rows.some((row) => row.neighbours.some((one) => agreement(row, one) === false));
  const intro = given?.note ?? "On the left an image, then those nearest to it, nearest first.";
  const marked = differ ? " Those of another label are marked \u2260." : "";
  const body = html`<div class="strips">${rows.map(neighbourRow)}</div>`;
  return section("neighbours", "Nearest neighbours", `${intro}${marked}`, body);
}

/** Whether labels agree; `undefined` where one is missing. */
function agreement({ query }: NeighbourRow, { label }: Neighbour): boolean | undefined {
  return query.label === undefined || label === undefined ? undefined : query.label === label;
}

function neighbourRow(row: NeighbourRow): Html {
  const { query } = row;
  const name = query.path ?? query.label ?? "an image";
  return html`<div
    class="strip"
    style="--columns: ${columnsFor(row.neighbours.length)}"
    role="group"
    aria-label="Nearest neighbours of ${name}"
  >
    <figure class="first">
      ${picture(query, `Image: ${name}`)}
      <figcaption>${query.label ?? "image"}</figcaption>
    </figure>
    ${row.neighbours.map((one, i) => neighbour(one, i + 1, agreement(row, one)))}
  </div>`;
}

function neighbour(one: Neighbour, rank: number, agrees: boolean | undefined): Html {
  const { label, path, similarity } = one;
  const said = [
    `Neighbour ${rank}`,
    path,
    label !== path && label,
    agrees === false && "another label",
  ];
  const mark = agrees === false && html`<span aria-hidden="true">≠ </span>`;
  const cosine = similarity !== undefined && html`<small>${grouped(similarity, 2)}</small>`;
  const standing = agrees === undefined ? "unknown" : agrees ? "same" : "other";
  return html`<figure class="${standing}">
    ${picture(one, said.filter((part) => part).join(", "))}
    <figcaption>${mark}${label}${cosine}</figcaption>
  </figure>`;
}
