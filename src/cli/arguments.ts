import { parseArgs } from "node:util";

import { ConfigError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";
import { suggest } from "../core/suggest.ts";
import {
  keyOf,
  longName,
  type OptionSpec,
  type OptionValues,
  takesValue,
  type Word,
} from "./verb.ts";

const help = ["--help", "-h"];

/** Mistakes as the lines of one error: a single one on the first line, several below a count. */
export function mistakesError(where: string, found: readonly string[], hint?: string): ConfigError {
  if (found.length === 1) return new ConfigError(`${where}: ${found[0]}`, hint);
  const lines = found.map((mistake) => `\n  ${mistake}`).join("");
  return new ConfigError(`${where}: ${found.length} mistakes${lines}`, hint);
}

function wordMistakes(expected: readonly Word[], words: readonly string[]): string[] {
  const needed = expected.filter(({ name }) => name.startsWith("<"));
  const missing = needed.slice(words.length).map(({ name }) => `${name} is missing`);
  const tooMany = words
    .slice(expected.length)
    .map((word) => `${quoted(word)} is one argument too many`);
  return expected.at(-1)?.name.includes("...") ? missing : [...missing, ...tooMany];
}

type Given = { words: string[]; options: OptionValues; mistakes: string[] };

/** Notes the value of an option, or what is wrong with it. */
function takeValue(given: Given, spec: OptionSpec, value: string | undefined, inline: boolean) {
  const [name, key] = [longName(spec), keyOf(spec)];
  if (!takesValue(spec)) {
    if (value !== undefined) given.mistakes.push(`${name} takes no value (is ${quoted(value)})`);
    given.options[key] = !name.startsWith("--no-");
  } else if (value === undefined || (!inline && /^--[a-z]/.test(value))) {
    given.mistakes.push(`${name} needs a value, as in ${spec.flags}`);
  } else {
    const before = given.options[key];
    given.options[key] = spec.many ? [...(Array.isArray(before) ? before : []), value] : value;
  }
}

/** What was given to a verb, and what is wrong with it, one sentence a mistake, all of them. */
export function parseArguments(
  specs: readonly OptionSpec[],
  expected: readonly Word[],
  argv: readonly string[],
): Given {
  const types = specs.map((spec) => {
    const type: "string" | "boolean" = takesValue(spec) ? "string" : "boolean";
    return [longName(spec).slice(2), { type }] as const;
  });
  const options = Object.fromEntries(types);
  const args = argv.map((word) => word.replace(/^-(?=[a-zA-Z])/, "--")); // -epochs is one mistake, not six
  const { tokens } = parseArgs({ args, options, strict: false, tokens: true });
  const known = (name: string | undefined) => specs.find((spec) => longName(spec) === name);
  const given: Given = { words: [], options: {}, mistakes: [] };
  let skipped = -1; // place of the value of an option that is none
  for (const token of tokens) {
    const { index } = token;
    if (token.kind === "positional" && index !== skipped) given.words.push(argv[index]);
    if (token.kind !== "option" || index === skipped) continue;
    const inline = token.inlineValue === true;
    const [name] = argv[index].split("=");
    const spec = known(name);
    if (spec !== undefined) {
      takeValue(given, spec, token.inlineValue === false ? argv[index + 1] : token.value, inline);
      continue;
    }
    const near = suggest(name, [...specs.map(longName), ...help]);
    const meant = known(near);
    if (meant !== undefined && takesValue(meant) && !inline) skipped = index + 1;
    given.mistakes.push(
      `${name} is not an option${near === undefined ? "" : `, did you mean ${near}?`}`,
    );
  }
  return { ...given, mistakes: [...given.mistakes, ...wordMistakes(expected, given.words)] };
}
