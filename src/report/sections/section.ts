import { html, type Html, type HtmlPart } from "../markup/html.ts";

/** A part of the page that the table of contents lists. */
export type Section = { id: string; title: string; markup: Html };

/** A part with its heading and, below it, a sentence on what it shows. */
export function section(id: string, title: string, intro: HtmlPart, body: HtmlPart): Section {
  const lead = intro && html`<p class="intro">${intro}</p>`;
  const markup = html`<section id="${id}" aria-labelledby="${id}-title">
    <h2 id="${id}-title">${title}</h2>
    ${lead}${body}
  </section>`;
  return { id, title, markup };
}

/** Text that opens on demand; in print it stands open. */
export const collapsible = (title: HtmlPart, body: HtmlPart): Html =>
  html`<details>
    <summary>${title}</summary>
    ${body}
  </details>`;

/** Names and values below each other. */
export const factList = (facts: readonly (readonly [string, HtmlPart])[]): Html =>
  html`<dl class="facts">
    ${facts.map(
      ([name, value]) =>
        html`<div>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`;

/** Columns of a strip of pictures: the first one and `count` more, as far as they fit a line. */
export const columnsFor = (count: number): number => Math.min(1 + count, 11);
