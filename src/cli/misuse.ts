import { ConfigError } from "../core/errors.ts";
import { suggest } from "../core/suggest.ts";
import { longName, takesValue, type Verb } from "./verb.ts";

const common = ["--json", "--quiet", "--help", "-h"];

/** Mistakes as the lines of one error: a single one on the first line, several below a count. */
export function mistakesError(where: string, found: readonly string[], hint?: string): ConfigError {
  if (found.length === 1) return new ConfigError(`${where}: ${found[0]}`, hint);
  const lines = found.map((mistake) => `\n  ${mistake}`).join("");
  return new ConfigError(`${where}: ${found.length} mistakes${lines}`, hint);
}

function wordMistakes(verb: Verb, words: readonly string[]): string[] {
  const expected = verb.words ?? [];
  const needed = expected.filter(({ name }) => name.startsWith("<"));
  const missing = needed.slice(words.length).map(({ name }) => `${name} is missing`);
  const tooMany = words
    .slice(expected.length)
    .map((word) => `${JSON.stringify(word)} is one argument too many`);
  return expected.at(-1)?.name.includes("...") ? missing : [...missing, ...tooMany];
}

/**
 * What is wrong with the arguments of a verb, one sentence a mistake, all of them: the parser itself
 * would stop at the first.
 */
export function argumentMistakes(verb: Verb, argv: readonly string[]): string[] {
  const byName = new Map(verb.options.map((spec) => [longName(spec), spec]));
  const known = [...byName.keys(), ...common];
  const mistakes: string[] = [];
  const words: string[] = [];
  let helped = false;
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i];
    if (word === "--") {
      words.push(...argv.slice(i + 1));
      break;
    }
    if (!/^-[a-zA-Z-]/.test(word)) {
      words.push(word);
      continue;
    }
    const [name, ...given] = word.split("=");
    const spec = byName.get(name);
    if (name === "--help" || name === "-h") helped = true;
    if (spec === undefined && !common.includes(name)) {
      const near = suggest(name, known);
      mistakes.push(
        `${name} is not an option${near === undefined ? "" : `, did you mean ${near}?`}`,
      );
      const next = argv.at(i + 1);
      const nearest = near === undefined ? undefined : byName.get(near);
      const swallows = nearest !== undefined && takesValue(nearest) && given.length === 0;
      if (swallows && next !== undefined && !next.startsWith("--")) i++;
    } else if (spec !== undefined && takesValue(spec) && given.length === 0) {
      const next = argv.at(++i);
      if (next === undefined || /^--[a-z]/.test(next)) {
        mistakes.push(`${name} needs a value, as in ${spec.flags}`);
        i--;
      }
    } else if (spec !== undefined && !takesValue(spec) && given.length > 0) {
      mistakes.push(`${name} takes no value (is ${JSON.stringify(given.join("="))})`);
    }
  }
  return helped ? [] : [...mistakes, ...wordMistakes(verb, words)];
}
