import { quoted } from "../../core/quote.ts";
import { mistakesError } from "../arguments.ts";
import type { OptionValues } from "../verb.ts";

type Kind = { whole?: boolean; least?: number; most?: number; above?: number };

/** Above this no number of a verb means anything; seeds go as far. */
const LARGEST = 2 ** 32 - 1;

/** `a whole number of at least 1 and at most 64`. */
function describeKind({ whole = false, least, most = LARGEST, above }: Kind): string {
  const bounds = [
    ...(least === undefined ? [] : [`of at least ${least}`]),
    ...(above === undefined ? [] : [`above ${above}`]),
    `at most ${most}`,
  ];
  return [`a ${whole ? "whole " : ""}number`, bounds.join(" and ")].join(" ").trimEnd();
}

function fitsKind(text: string, { whole = false, least, most = LARGEST, above }: Kind): boolean {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) return false;
  if (whole && !Number.isInteger(value)) return false;
  const inside = value >= (least ?? -Infinity) && value <= most;
  return inside && value > (above ?? -Infinity);
}

const flagOf = (key: string) =>
  `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** Reads options of a verb, and collects what is wrong with all of them. */
export function valueReader(verb: string, options: OptionValues) {
  const found: string[] = [];
  return {
    text: (key: string): string | undefined => {
      const value = options[key];
      return typeof value === "string" ? value : undefined;
    },
    flag: (key: string): boolean => options[key] === true,
    number(key: string, kind: Kind = {}): number | undefined {
      const text = options[key];
      if (typeof text !== "string") return undefined;
      if (fitsKind(text, kind)) return Number(text);
      found.push(`${flagOf(key)}: expected ${describeKind(kind)} (is ${quoted(text)})`);
      return undefined;
    },
    /** Numbers with commas between them. */
    numbers(key: string): number[] | undefined {
      const text = options[key];
      if (typeof text !== "string") return undefined;
      const all = text.split(",");
      if (all.every((one) => fitsKind(one, {}))) return all.map(Number);
      found.push(`${flagOf(key)}: expected numbers with commas between them (is ${quoted(text)})`);
      return undefined;
    },
    oneOf<T extends string>(key: string, names: readonly T[]): T | undefined {
      const text = options[key];
      if (typeof text !== "string") return undefined;
      if ((names as readonly string[]).includes(text)) return text as T;
      found.push(`${flagOf(key)}: expected one of ${names.join(", ")} (is ${quoted(text)})`);
      return undefined;
    },
    need(key: string, hint: string): void {
      if (options[key] === undefined) found.push(`${flagOf(key)} is missing, ${hint}`);
    },
    /** Throws `ConfigError` with every mistake found. */
    check(): void {
      if (found.length > 0) throw mistakesError(verb, found, `see contrapose ${verb} --help`);
    },
  };
}

/** What reads options of a verb. */
export type ValueReader = ReturnType<typeof valueReader>;
