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

type Cell = { readonly cell: string; readonly end: number; readonly isOpen?: boolean };

/** A cell in quotes that opens at `start`, and the place after its closing quote; open where it has none. */
function quotedCell(table: string, start: number): Cell {
  const parts: string[] = [];
  let at = start + 1;
  for (;;) {
    const quote = table.indexOf('"', at);
    if (quote === -1) return { cell: "", end: table.length, isOpen: true };
    parts.push(table.slice(at, quote));
    if (table[quote + 1] !== '"') return { cell: parts.join('"'), end: quote + 1 };
    at = quote + 2;
  }
}

/**
 * The rows of a table with commas, semicolons or tabs between its cells (RFC 4180): a cell in quotes may
 * hold these, ends of lines, and quotes written twice. Empty lines are left out, and the rest from a row on whose
 * quote does not close: `open` is the line of that quote, from 1.
 */
export function readCsv(text: string): { rows: string[][]; open: number | undefined } {
  const table = text.startsWith("\ufeff") ? text.slice(1) : text;
  const separator = separatorOf(table);
  const ends = new RegExp(`[${separator}\\r\\n]`, "g");
  const rows: string[][] = [];
  let row: string[] = [];
  for (let at = 0; at <= table.length; at++) {
    const opened: Cell = table[at] === '"' ? quotedCell(table, at) : { cell: "", end: at };
    if (opened.isOpen) return { rows, open: table.slice(0, at).split(/\r\n?|\n/).length };
    ends.lastIndex = opened.end;
    const end = ends.exec(table)?.index ?? table.length;
    row.push(opened.cell + table.slice(opened.end, end));
    at = end;
    if (table[end] === separator) continue;
    if (row.length > 1 || row[0] !== "") rows.push(row);
    row = [];
  }
  return { rows, open: undefined };
}
