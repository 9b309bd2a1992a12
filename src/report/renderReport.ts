import { html, type Html } from "./markup/html.ts";
import { renderPage } from "./page.ts";
import type { ReportData } from "./reportData.ts";
import { headline } from "./sections/headline.ts";
import { measureTable } from "./sections/measures.ts";
import { outcome } from "./sections/outcome.ts";
import { neighbours } from "./sections/neighbours.ts";
import { repeat } from "./sections/repeat.ts";
import { factList } from "./sections/section.ts";
import { sampling } from "./sections/sampling.ts";
import { skipped } from "./sections/skipped.ts";
import { training } from "./sections/training.ts";
import { views } from "./sections/views.ts";

/** The whole report as one HTML file that needs nothing else. Pure: the same data, the same page. */
export function renderReport(data: ReportData): string {
  const sections = [
    headline(data.evaluation),
    measureTable(data.evaluation),
    training(data.training, data.epochs, data.epochBaselines),
    sampling(data.training),
    views(data.views),
    neighbours(data.neighbours),
    skipped(data.skipped),
    repeat(data),
  ].filter((section) => section !== undefined);
  return renderPage({
    title: `${data.run} – Contrapose report`,
    header: header(data),
    sections,
    numbers: "report.json",
  });
}

function header(data: ReportData): Html {
  const facts = (data.summary ?? []).map(({ name, value }) => [name, value] as const);
  const created =
    data.created === undefined ? [] : [["created", readableTime(data.created)] as const];
  const all = [...facts, ...created];
  const said = outcome(data.evaluation);
  return html`<header>
    <p class="kind">Report of a training run</p>
    <h1>${data.run}</h1>
    ${said !== undefined && html`<p class="lead outcome">${said}</p>`}
    <p class="lead">${data.method} · ${data.encoder}</p>
    ${all.length > 0 && factList(all)}
  </header>`;
}

/** `2026-03-01 14:05 UTC`; what is not a time stays as it is. */
function readableTime(text: string): string {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) return text;
  return `${time.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
