const trusted: unique symbol = Symbol("trusted markup");

/** Markup that is safe to put into a page as it stands. Only `html` and `trustedMarkup` make it. */
export type Html = { readonly [trusted]: string };

/** What a template accepts: text is escaped, markup is kept, `undefined` and `false` vanish. */
export type HtmlPart = string | number | undefined | false | Html | readonly HtmlPart[];

const entities: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

// Characters that no HTML document may hold, and overrides that would reverse the text around them.
const unprintable =
  /[\p{Surrogate}\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** Text as it may stand between tags and inside quoted attributes. */
export function escapeText(text: string): string {
  return text
    .replace(unprintable, "\ufffd")
    .replace(/[&<>"']/g, (character) => entities[character]);
}

/** Vouches for markup that holds nothing from outside. */
export const trustedMarkup = (markup: string): Html => ({ [trusted]: markup });

/** The markup itself. */
export const markupOf = (part: Html): string => part[trusted];

function partMarkup(part: HtmlPart): string {
  if (part === undefined || part === null || part === false) return "";
  if (typeof part !== "object") return escapeText(String(part));
  if (isHtml(part)) return part[trusted];
  // A value of another kind than its type says, read from a file, is shown as what it is.
  return Array.isArray(part) ? part.map(partMarkup).join("") : escapeText(JSON.stringify(part));
}

const isHtml = (part: object): part is Html => trusted in part;

/** A template whose every value is escaped, unless it is markup made by `html` itself. */
export function html(strings: TemplateStringsArray, ...parts: readonly HtmlPart[]): Html {
  const pieces = strings.map((text, i) => text + (i < parts.length ? partMarkup(parts[i]) : ""));
  return trustedMarkup(pieces.join(""));
}
