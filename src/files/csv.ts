import { harmless } from "../core/quote.ts";

/** Values as a line of CSV (RFC 4180), the line's end included. */
export function csvLine(values: readonly (string | number)[]): string {
  const cells = values.map((value) => {
    const text = harmless(String(value)); // a row stays one line
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  });
  return `${cells.join(",")}\n`;
}

/** The separator of a table: what its first line has most of, outside quotes. */
function separatorOf(table: string): string {
  const first = table.slice(0, table.search(/[\r\n]|$/)).replace(/"[^"]*"/g, "");
  const counts = [",", ";", "\t"].map((mark) => ({ mark, count: first.split(mark).length }));
  return counts.reduce((best, one) => (one.count > best.count ? one : best)).mark;
}

/** A cell in quotes that opens at `start`, and the place after its closing quote, or the end of the text. */
function quotedCell(table: string, start: number): { cell: string; end: number } {
  const parts: string[] = [];
  let at = start + 1;
  for (;;) {
    const quote = table.indexOf('"', at);
    const end = quote === -1 ? table.length : quote;
    parts.push(table.slice(at, end));
    if (table[end + 1] !== '"')
      return { cell: parts.join('"'), end: Math.min(end + 1, table.length) };
    at = end + 2;
  }
}

/**
 * The rows of a table with commas, semicolons or tabs between its cells (RFC 4180): a cell in quotes may
 * hold these, ends of lines, and quotes written twice. Empty lines are left out.
 */
export function readCsv(text: string): string[][] {
  const table = text.startsWith("\ufeff") ? text.slice(1) : text;
  const separator = separatorOf(table);
  const ends = new RegExp(`[${separator}\\r\\n]`, "g");
  const rows: string[][] = [];
  let row: string[] = [];
  for (let at = 0; at <= table.length; at++) {
    const opened = table[at] === '"' ? quotedCell(table, at) : { cell: "", end: at };
    ends.lastIndex = opened.end;
    const end = ends.exec(table)?.index ?? table.length;
    row.push(opened.cell + table.slice(opened.end, end));
    at = end;
    if (table[end] === separator) continue;
    if (row.length > 1 || row[0] !== "") rows.push(row);
    row = [];
  }
  return rows;
}
