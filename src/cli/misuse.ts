import { ConfigError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";
import { suggest } from "../core/suggest.ts";
import { longName, sharedOptions, takesValue, type Verb } from "./verb.ts";

const help = ["--help", "-h"];

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
    .map((word) => `${quoted(word)} is one argument too many`);
  return expected.at(-1)?.name.includes("...") ? missing : [...missing, ...tooMany];
}

type Scan = { verb: Verb; argv: readonly string[]; mistakes: string[]; words: string[] };

/** Notes what is wrong with an option at place i; returns the place of the last word that belongs to it. */
function checkOption({ verb, argv, mistakes }: Scan, i: number): number {
  const [name, ...given] = argv[i].split("=");
  const next = argv.at(i + 1);
  const specs = [...verb.options, ...sharedOptions];
  const known = (wanted: string | undefined) => specs.find((spec) => longName(spec) === wanted);
  const spec = known(name);
  if (spec === undefined) {
    const near = suggest(name, [...specs.map(longName), ...help]);
    mistakes.push(`${name} is not an option${near === undefined ? "" : `, did you mean ${near}?`}`);
    const meant = known(near);
    const follows = meant !== undefined && takesValue(meant) && given.length === 0;
    return follows && next !== undefined && !next.startsWith("--") ? i + 1 : i; // its value, if it were right
  }
  if (!takesValue(spec)) {
    const value = quoted(given.join("="));
    if (given.length > 0) mistakes.push(`${name} takes no value (is ${value})`);
    return i;
  }
  if (given.length > 0) return i;
  if (next !== undefined && !/^--[a-z]/.test(next)) return i + 1;
  mistakes.push(`${name} needs a value, as in ${spec.flags}`);
  return i;
}

/**
 * What is wrong with the arguments of a verb, one sentence a mistake, all of them: the parser itself
 * would stop at the first.
 */
export function argumentMistakes(verb: Verb, argv: readonly string[]): string[] {
  if (argv.includes("--help") || argv.includes("-h")) return [];
  const scan: Scan = { verb, argv, mistakes: [], words: [] };
  for (let i = 0; i < argv.length; i++) {
    if (argv[i] === "--") {
      scan.words.push(...argv.slice(i + 1));
      break;
    }
    if (/^-[a-zA-Z-]/.test(argv[i])) i = checkOption(scan, i);
    else scan.words.push(argv[i]);
  }
  return [...scan.mistakes, ...wordMistakes(verb, scan.words)];
}
