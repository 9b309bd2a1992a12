import { renderPage } from "./markup/document.ts";
import { html, type Html } from "./markup/html.ts";
import type { ReportData } from "./reportData.ts";
import { headline } from "./sections/headline.ts";
import { measureTable } from "./sections/measures.ts";
import { neighbours } from "./sections/neighbours.ts";
import { repeat } from "./sections/repeat.ts";
import { factList, type Section } from "./sections/section.ts";
import { sampling } from "./sections/sampling.ts";
import { skipped } from "./sections/skipped.ts";
import { training } from "./sections/training.ts";
import { views } from "./sections/views.ts";

/** The whole report as one HTML file that needs nothing else. Pure: the same data, the same page. */
export function renderReport(data: ReportData): string {
  const sections = [
    headline(data.evaluation),
    measureTable(data.evaluation),
    training(data.training, data.epochs),
    sampling(data.training),
    views(data.views),
    neighbours(data.neighbours),
    skipped(data.skipped),
    repeat(data),
  ].filter((section) => section !== undefined);
  return renderPage({
    title: `${data.run} – Contrapose report`,
    header: [header(data), sections.length > 1 && contents(sections)],
    sections: sections.map(({ markup }) => markup),
    footer: "This page holds all it shows; the same numbers are in report.json.",
  });
}

function header(data: ReportData): Html {
  const facts = (data.summary ?? []).map(({ name, value }) => [name, value] as const);
  const created =
    data.created === undefined ? [] : [["created", readableTime(data.created)] as const];
  const all = [...facts, ...created];
  return html`<header>
    <p class="kind">Report of a training run</p>
    <h1>${data.run}</h1>
    <p class="lead">${data.method} · ${data.encoder}</p>
    ${all.length > 0 && factList(all)}
  </header>`;
}

const contents = (sections: readonly Section[]): Html =>
  html`<nav aria-label="Contents">
    <ul>
      ${sections.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`)}
    </ul>
  </nav>`;

/** `2026-03-01 14:05 UTC`; what is not a time stays as it is. */
function readableTime(text: string): string {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) return text;
  return `${time.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
