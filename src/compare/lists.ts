import { ConfigError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";

const MOST_SEEDS = 100;
const LARGEST_SEED = 4294967295;

/** Parts of a list at its commas; those inside brackets, braces or quotes stay: `[1,1],[2,2]`. */
export function splitList(text: string): string[] {
  const parts = [""];
  let [depth, quoted] = [0, false];
  for (const letter of text) {
    if (letter === '"') quoted = !quoted;
    if (!quoted && "[{".includes(letter)) depth++;
    if (!quoted && "]}".includes(letter)) depth--;
    if (letter === "," && depth === 0 && !quoted) parts.push("");
    else parts[parts.length - 1] += letter;
  }
  return parts.map((part) => part.trim());
}

/** The first entry of a list that stands in it twice. */
export const repeated = <T>(list: readonly T[]): T | undefined =>
  list.find((entry, i) => list.indexOf(entry) !== i);

/** Seeds of `3` (0, 1, 2) or of a list, `0,4,7`. Throws `ConfigError`. */
export function parseSeeds(text: string): number[] {
  const numbers = text.split(",").map((part) => (/^\s*\d+\s*$/.test(part) ? Number(part) : NaN));
  const wrong = numbers.some((seed) => !(seed <= LARGEST_SEED));
  if (wrong) {
    throw new ConfigError(
      `compare: --seeds is ${quoted(text)}, expected a number of seeds or a list of them`,
      "as in --seeds 3 or --seeds 0,1,2",
    );
  }
  const twice = repeated(numbers);
  if (twice !== undefined) throw new ConfigError(`compare: seed ${twice} is given twice`);
  if (numbers.length > 1) return numbers;
  const [count] = numbers;
  if (count < 1 || count > MOST_SEEDS) {
    throw new ConfigError(
      `compare: --seeds is ${count}, expected 1 to ${MOST_SEEDS} seeds, or a list of them`,
    );
  }
  return Array.from({ length: count }, (_, seed) => seed);
}

const units: Record<string, number> = { s: 1, m: 60, h: 3600 };

/** Seconds of `90s`, `10m`, `1.5h` or `1h30m`. Throws `ConfigError`. */
export function parseBudget(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)\s*([smh])/g)];
  const whole = /^(\s*\d+(\.\d+)?\s*[smh]\s*)+$/.test(text);
  const seconds = parts.reduce((sum, [, value, unit]) => sum + Number(value) * units[unit], 0);
  if (whole && seconds > 0) return seconds;
  throw new ConfigError(
    `compare: --budget is ${quoted(text)}, expected a time for one run`,
    "as in --budget 10m, 90s or 1h30m",
  );
}
