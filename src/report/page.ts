import { VERSION } from "../core/version.ts";
import { html, markupOf, trustedMarkup, type Html } from "./markup/html.ts";
import type { Section } from "./sections/section.ts";
import { style } from "./style.ts";

// The page may show what it holds itself, and load or run nothing.
const policy =
  "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/** What a page shows, from top to bottom. */
export type Page = {
  readonly title: string; // of the browser's tab
  readonly header: Html;
  readonly sections: readonly Section[];
  readonly numbers: string; // file beside it with the same numbers
  readonly styles?: string; // rules beside those of all pages
};

/** A whole page as one HTML file that needs nothing else. */
export function renderPage({ title, header, sections, numbers, styles = "" }: Page): string {
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="generator" content="Contrapose ${VERSION}" />
        <title>${title}</title>
        <style>
          ${trustedMarkup(style)} ${trustedMarkup(styles)}
        </style>
      </head>
      <body>
        <div class="page">
          ${header} ${sections.length > 1 && contents(sections)}
          <main>${sections.map(({ markup }) => html`${markup} `)}</main>
          <footer>
            Made by Contrapose ${VERSION}. This page holds all it shows; the same numbers are in
            ${numbers}.
          </footer>
        </div>
      </body>
    </html>`;
  return `${markupOf(page)}\n`;
}

const contents = (sections: readonly Section[]): Html =>
  html`<nav aria-label="Contents">
    <ul>
      ${sections.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`)}
    </ul>
  </nav>`;
