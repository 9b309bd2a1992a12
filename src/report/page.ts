import { renderDocument } from "./markup/document.ts";
import { html, type Html } from "./markup/html.ts";
import type { Section } from "./sections/section.ts";

/** What a page shows, from top to bottom. */
export type Page = {
  readonly title: string; // of the browser's tab
  readonly header: Html;
  readonly sections: readonly Section[];
  readonly numbers: string; // file beside it with the same numbers
  readonly styles?: string; // rules beside those of all pages
};

/** A whole page with its contents as one HTML file that needs nothing else. */
export function renderPage({ title, header, sections, numbers, styles = "" }: Page): string {
  return renderDocument({
    title,
    styles,
    header: [header, sections.length > 1 && contents(sections)],
    sections: sections.map(({ markup }) => markup),
    footer: `This page holds all it shows; the same numbers are in ${numbers}.`,
  });
}

const contents = (sections: readonly Section[]): Html =>
  html`<nav aria-label="Contents">
    <ul>
      ${sections.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`)}
    </ul>
  </nav>`;
