import { VERSION } from "../../core/version.ts";
import { style } from "../style.ts";
import { html, type Html, type HtmlPart, markupOf, trustedMarkup } from "./html.ts";

// The page may show what it holds itself, and load or run nothing.
const policy =
  "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/** What stands on a page. */
export type Document = {
  readonly title: string;
  readonly header: HtmlPart;
  readonly sections: readonly HtmlPart[];
  readonly footer: string;
  readonly styles?: string; // rules beside those of all pages
};

/** A page as one HTML file that needs nothing else. Pure: the same content, the same page. */
export function renderDocument(content: Document): string {
  return `${markupOf(page(content))}\n`;
}

function page({ title, header, sections, footer, styles = "" }: Document): Html {
  return html`<!doctype html>
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
          ${header}
          <main>${sections.map((section) => html`${section} `)}</main>
          <footer>Made by Contrapose ${VERSION}. ${footer}</footer>
        </div>
      </body>
    </html>`;
}
