const LONGEST = 200; // characters of foreign text in a message

// control characters, ends of lines and paragraphs, marks of writing direction, halves of surrogate pairs
const harmful = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]|\p{Cs}/gu;

const short: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

const escaped = (character: string): string =>
  short[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** Text of others on one line, with what would steer a terminal or hide itself escaped: `a\nb`. */
export const harmless = (text: string): string => text.replace(harmful, escaped);

// a backslash before what begins an escape, or looks as if it did
const beforeEscape = new RegExp(String.raw`\\(?=[nrtu\\]|$|${harmful.source})`, "gu");

/** A name as one line of a list, which no other name shares: a backslash that would begin an escape is doubled. */
export const nameLine = (name: string): string => harmless(name.replace(beforeEscape, "\\\\"));

/** A value of others for a message: as JSON, harmless, at most `longest` characters of it. */
export function quoted(value: unknown, longest = LONGEST): string {
  if (typeof value === "string" && value.length > longest) {
    return `${harmless(JSON.stringify(value.slice(0, longest)))}… (${value.length} characters)`;
  }
  const text = JSON.stringify(value) ?? String(value);
  const long = typeof value !== "string" && text.length > longest;
  return harmless(long ? `${text.slice(0, longest)}…` : text);
}

/** The first names of a list for a message: `"cat", "dog"`. */
export const quotedNames = (names: readonly string[], most = 5): string =>
  names
    .slice(0, most)
    .map((name) => quoted(name, 40))
    .join(", ");

// name and password in an address, as in http://name:password@host
const credentials = /\b([a-z][\w+.-]{0,20}:\/\/)[^\s/@"']+@/gi;

/**
 * A message as it may be printed: no text of others takes more than some hundred characters, and no address shows its
 * name and password.
 */
export const fitToPrint = (message: string): string =>
  message
    .replace(/"(?:[^"\\]|\\.){300,}"/gs, (text) => `${text.slice(0, LONGEST)}…"`)
    .replace(credentials, "$1…@");
