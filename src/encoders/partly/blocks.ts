import { ConfigError } from "../../core/errors.ts";
import { quoted } from "../../core/quote.ts";
import { suggest } from "../../core/suggest.ts";

/** A block of a residual net, a mobile net, a transformer or a ConvNeXt in the name of a parameter, whatever stands before it. */
const BLOCK =
  /(?:^|\.)(layer[1-9]\.\d+|stages\.\d+\.(?:blocks|layers)\.\d+|blocks\.\d+(?:\.\d+)?|layers?\.\d+|block\d+)(?=\.)/;

/**
 * Blocks of an encoder by the names of its parameters, in the order in which they are applied: for each name the number
 * of its block, from 0. What lies between two blocks belongs to the later one; what lies before all has −1 and what lies
 * behind them their number.
 */
export function blocksOf(names: readonly string[]): { of: Map<string, number>; count: number } {
  const numbers = new Map<string, number>();
  const own = names.map((name) => {
    const key = BLOCK.exec(name)?.[0];
    if (key === undefined) return undefined;
    if (!numbers.has(key)) numbers.set(key, numbers.size);
    return numbers.get(key);
  });
  const count = numbers.size;
  const first = own.findIndex((number) => number !== undefined);
  let next = count;
  for (let i = own.length - 1; i >= 0; i--) {
    next = own[i] ?? (i < first ? -1 : next);
    own[i] = next;
  }
  return { of: new Map(names.map((name, i) => [name, own[i]!])), count };
}

/** Whether a glob stands for a name or for a leading part of it: `blocks.0`, `layer1.*`, `*.bias`. */
function matcher(glob: string): (name: string) => boolean {
  const text = glob.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  const pattern = new RegExp(`^${text.replace(/\*/g, ".*").replace(/\?/g, ".")}(?:\\..*)?$`, "s");
  return (name) => pattern.test(name);
}

/** Every name and every leading part of one, up to a dot. */
function partsOf(names: readonly string[]): string[] {
  const parts = names.flatMap((name) => {
    const words = name.split(".");
    return words.map((_, i) => words.slice(0, i + 1).join("."));
  });
  return [...new Set(parts)];
}

/** How many letters two texts have in common at their beginning. */
function commonStart(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
}

/** Parts of names that begin most like a text; some from all over where none does. */
function begunAlike(text: string, parts: readonly string[], names: readonly string[]): string[] {
  const most = Math.max(...parts.map((part) => commonStart(text, part)));
  if (most > 0) return parts.filter((part) => commonStart(text, part) === most).slice(0, 3);
  return [names[0], names[Math.floor(names.length / 2)], names[names.length - 1]];
}

function unknownGlob(glob: string, names: readonly string[]): ConfigError {
  const [word, parts] = [glob.replace(/[*?]+$/, "").replace(/\.$/, ""), partsOf(names)];
  const near = suggest(word, parts);
  const some = begunAlike(word, parts, names);
  return new ConfigError(
    `freeze: no parameter of the encoder is named ${quoted(glob)}`,
    near === undefined
      ? `expected body, none, all-but:2 or globs of names, as of ${some.join(", ")}`
      : `did you mean ${near}?`,
  );
}

/**
 * Parameters that a text freezes: `none`, `all-but:N` for all before the last N blocks, or globs of names with commas
 * between them. Throws `ConfigError` where it freezes nothing or everything.
 *
 * @param names of parameters, in the order in which they are applied
 */
export function frozenNames(names: readonly string[], freeze: string): Set<string> {
  if (freeze === "none") return new Set();
  const allBut = /^all-but:(.*)$/.exec(freeze)?.[1];
  if (allBut !== undefined) return before(names, allBut);
  const frozen = new Set<string>();
  for (const glob of freeze.split(",").map((part) => part.trim())) {
    const found = names.filter(matcher(glob));
    if (found.length === 0) throw unknownGlob(glob, names);
    found.forEach((name) => frozen.add(name));
  }
  if (frozen.size < names.length) return frozen;
  throw new ConfigError(
    `freeze: ${quoted(freeze)} freezes every parameter of the encoder`,
    "--freeze body trains an adapter behind it",
  );
}

function before(names: readonly string[], text: string): Set<string> {
  const { of, count } = blocksOf(names);
  if (count === 0) {
    throw new ConfigError(
      `freeze: the names of the encoder's parameters show no blocks, as ${names[0]}`,
      "give globs of the names to freeze",
    );
  }
  const last = Number(text);
  if (!/^\d+$/.test(text) || last < 1 || last >= count) {
    throw new ConfigError(
      `freeze: all-but:${text}, expected a number of blocks from 1 to ${count - 1}`,
      last >= count
        ? `the encoder has ${count} blocks: --freeze none trains all of them`
        : undefined,
    );
  }
  return new Set(names.filter((name) => of.get(name)! < count - last));
}
