export { counted } from "../core/counted.ts";
import { share } from "../metrics/index.ts";

/** `4 m 05 s`, `2 h 10 m`, `8 s`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [
    Math.floor(whole / 3600),
    Math.floor((whole % 3600) / 60),
    whole % 60,
  ];
  const two = (value: number) => String(value).padStart(2, "0");
  if (hours > 0) return `${hours} h ${two(minutes)} m`;
  if (minutes > 0) return `${minutes} m ${two(rest)} s`;
  return `${rest} s`;
}

/** A share as a percentage: `47.3 %`. */
export const percent = (value: number, digits = 1): string => `${(100 * value).toFixed(digits)} %`;

/** ` (25.1 to 30.3)`: percentages that the share of so many images would have in 95 of 100 draws of them (Wilson). */
export function intervalOf(value: number, images: number): string {
  if (images === 0) return "";
  const { low, high } = share(value * images, images);
  return ` (${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)})`;
}

/** A whole number with thin groups: `12,345`. */
export const count = (value: number): string => Math.round(value).toLocaleString("en-GB");

/** A number with as many digits as carry meaning: `812`, `40.3`, `1.25`. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size >= 100) return count(value);
  return value.toFixed(size >= 10 ? 1 : 2);
}

/** Rows of cells as aligned columns; the first is flush left, the rest flush right. */
export function columns(rows: readonly (readonly string[])[], gap = "  "): string[] {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => [...(row[i] ?? "")].length)));
  const pad = (cell: string, i: number) => {
    const fill = " ".repeat(Math.max(0, widths[i] - [...cell].length));
    return i === 0 ? cell + fill : fill + cell;
  };
  return rows.map((row) => row.map(pad).join(gap).trimEnd());
}

/** Rows of cells as columns that are all flush left. */
export function leftColumns(rows: readonly (readonly string[])[], gap = "  "): string[] {
  const last = rows[0].length - 1;
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => [...(row[i] ?? "")].length)));
  const pad = (cell: string, i: number) =>
    i === last ? cell : cell + " ".repeat(Math.max(0, widths[i] - [...cell].length));
  return rows.map((row) => row.map(pad).join(gap));
}
