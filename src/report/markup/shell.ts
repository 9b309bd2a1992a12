import { VERSION } from "../../core/version.ts";
import { style } from "../style.ts";
import { html, type Html, markupOf, trustedMarkup } from "./html.ts";

// The page may show what it holds itself, and load or run nothing.
const policy =
  "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/** A whole page that needs nothing else: what stands in `body`, in the look of all pages. */
export function shell(title: string, body: Html, more = ""): string {
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
          ${trustedMarkup(style)} ${trustedMarkup(more)}
        </style>
      </head>
      <body>
        <div class="page">${body}</div>
      </body>
    </html>`;
  return `${markupOf(page)}\n`;
}
