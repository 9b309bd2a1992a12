import { mistakesError } from "../misuse.ts";
import type { OptionValues } from "../verb.ts";

type Kind = { whole?: boolean; least?: number; most?: number; above?: number };

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
    number(key: string, { whole = false, least, most, above }: Kind = {}): number | undefined {
      const text = options[key];
      if (typeof text !== "string") return undefined;
      const value = Number(text);
      const fits =
        text.trim() !== "" &&
        Number.isFinite(value) &&
        (!whole || Number.isInteger(value)) &&
        (least === undefined || value >= least) &&
        (most === undefined || value <= most) &&
        (above === undefined || value > above);
      if (fits) return value;
      const bounds = [
        least === undefined ? "" : ` of at least ${least}`,
        above === undefined ? "" : ` above ${above}`,
        most === undefined
          ? ""
          : `${least === undefined && above === undefined ? "" : " and"} at most ${most}`,
      ].join("");
      found.push(
        `${flagOf(key)}: expected a ${whole ? "whole " : ""}number${bounds} (is ${JSON.stringify(text)})`,
      );
      return undefined;
    },
    oneOf<T extends string>(key: string, names: readonly T[]): T | undefined {
      const text = options[key];
      if (typeof text !== "string") return undefined;
      if ((names as readonly string[]).includes(text)) return text as T;
      found.push(
        `${flagOf(key)}: expected one of ${names.join(", ")} (is ${JSON.stringify(text)})`,
      );
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
