export { counted } from "../../core/counted.ts";

const MINUS = "\u2212";
const NO_BREAK_SPACE = "\u00a0";

const withMinus = (text: string): string => text.replace(/^-/, MINUS);

/** `12,345`; a fraction keeps `digits` places. A number that is not finite is shown as it is. */
export function grouped(value: number, digits = 0): string {
  if (!Number.isFinite(value)) return String(value);
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return withMinus(value.toLocaleString("en-GB", options));
}

/** A share as a percentage: `47.3 %`. */
export const percentage = (share: number, digits = 1): string =>
  `${grouped(100 * share, digits)}${NO_BREAK_SPACE}%`;

/** A number with three to four figures that carry meaning: `1,234`, `40.3`, `0.0251`, `3.2e−7`. */
export function figure(value: number): string {
  const size = Math.abs(value);
  if (!Number.isFinite(value) || size >= 100 || value === 0) return grouped(value);
  if (size < 1e-4) return value.toExponential(1).replaceAll("-", MINUS);
  const digits = size >= 10 ? 1 : size >= 0.1 ? 2 : 1 - Math.floor(Math.log10(size));
  return grouped(value, Math.min(digits, 6));
}

/** `0.8 s`, `42 s`, `4 min 05 s`, `2 h 10 min`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return String(seconds);
  if (seconds < 9.95) return `${grouped(seconds, 1)}${NO_BREAK_SPACE}s`;
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  const two = (value: number) => String(value).padStart(2, "0");
  if (minutes === 0) return `${whole} s`.replace(" ", NO_BREAK_SPACE);
  const text =
    minutes < 60
      ? `${minutes} min ${two(whole % 60)} s`
      : `${grouped(Math.floor(minutes / 60))} h ${two(minutes % 60)} min`;
  return text.replaceAll(" ", NO_BREAK_SPACE);
}
