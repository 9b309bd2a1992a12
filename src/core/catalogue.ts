import { z } from "zod";

import { issuesOf } from "./options.ts";
import { harmless, quoted } from "./quote.ts";
import { suggest } from "./suggest.ts";

type Entry = { readonly name: string; readonly options: z.ZodObject };
type Catalogue = Record<string, Entry>;

/** An entry of a catalogue by its name, with its options: `{ name: "infoNce", temperature: 0.1 }`. */
export type Named = { name: string; [option: string]: unknown };

/**
 * How an entry is chosen: a name of the catalogue or what its `define…` gives, alone or as the `name` of its options;
 * options alone are those of the entry that has them.
 */
export type Chosen<C extends Catalogue, E> =
  | keyof C
  | E
  | { name: E; [option: string]: unknown }
  | { [K in keyof C]: { name: K } & z.input<C[K]["options"]> }[keyof C]
  | { [K in keyof C]: { name?: never } & z.input<C[K]["options"]> }[keyof C];

/** Options that an entry does not have, by name. */
export const unknownTo = (entry: Entry, options: object): string[] =>
  Object.keys(options).filter((name) => !Object.hasOwn(entry.options.shape, name));

/** The entry of a catalogue by a name from outside; undefined where it is not its own, as `constructor` is not. */
export const entryNamed = <E>(
  catalogue: Readonly<Record<string, unknown>>,
  name: string,
): E | undefined => (Object.hasOwn(catalogue, name) ? (catalogue[name] as E) : undefined);

/** The entry that options without a name are of: `usual` unless only others have them all, then the first of these. */
export function entryOf(catalogue: Catalogue, usual: string, options: object): string {
  const has = (name: string) => unknownTo(catalogue[name], options).length === 0;
  return [usual, ...Object.keys(catalogue)].find(has) ?? usual;
}

/** What a config chose: an entry, and its options, all present and in range. */
export type Part<E> = { readonly entry: E; readonly options: Record<string, unknown> };

/** What one of the `define…` functions gives. */
export type Definition = Entry & { readonly kind: string };

/** Whether a value is what one of the `define…` functions gives. */
export const isDefinition = (value: unknown): value is Definition =>
  ((typeof value === "object" && value !== null) || typeof value === "function") &&
  typeof (value as Partial<Definition>).kind === "string" &&
  typeof (value as Partial<Definition>).options?.safeParse === "function";

/** What was said of a choice, apart: the name or entry that was given, and the options beside it. */
function spelledOut(value: unknown): { chosen: unknown; options: Record<string, unknown> } {
  if (typeof value === "object" && value !== null && !isDefinition(value)) {
    const { name, ...options } = value as Record<string, unknown>;
    return { chosen: name, options };
  }
  return { chosen: value, options: {} };
}

type Say = (message: string, path?: readonly PropertyKey[]) => void;

const didYouMean = (word: string, known: readonly string[]): string => {
  const near = suggest(word, known);
  return near === undefined ? "" : `, did you mean ${near}?`;
};

/** The entry of a kind that a name or a value of one's own stands for; undefined where it was said what is wrong. */
function entryFor(catalogue: Catalogue, kind: string, chosen: unknown, say: Say) {
  const names = Object.keys(catalogue);
  const expected = `a name, one of ${names.join(", ")}`;
  if (chosen === undefined) return void say(`expected ${expected}`);
  if (isDefinition(chosen) && chosen.kind === kind) return chosen;
  if (typeof chosen !== "string") {
    const what = isDefinition(chosen) ? `${chosen.name}, a ${chosen.kind}` : `a ${typeof chosen}`;
    const own = kind && `, or what define${kind[0].toUpperCase()}${kind.slice(1)} gives`;
    return void say(`expected ${expected}${own}, not ${what}`);
  }
  const entry = entryNamed<Entry>(catalogue, chosen);
  if (entry !== undefined) return entry;
  say(`${quoted(chosen)} is none of ${names.join(", ")}${didYouMean(chosen, names)}`);
  return undefined;
}

/** The options of an entry with its defaults; undefined where it was said what is wrong. */
function optionsFor(entry: Entry, options: Record<string, unknown>, say: Say) {
  const result = entry.options.safeParse(options);
  if (result.success) return result.data;
  for (const issue of issuesOf(result.error)) {
    if (issue.code !== "unrecognized_keys") say(issue.message, issue.path);
    else {
      for (const key of issue.keys) {
        const near = didYouMean(key, Object.keys(entry.options.shape));
        say(`${harmless(key).slice(0, 100)} is not an option of ${entry.name}${near}`, issue.path);
      }
    }
  }
  return undefined;
}

/** Which catalogue a part is of, and the entry that is meant where no name is said, by what its schema begins with. */
export const partSchemas = new WeakMap<
  object,
  { readonly catalogue: Catalogue; readonly usual: string | undefined }
>();

/**
 * Config schema of one part: a name of the catalogue, a value of one's own made by the `define…` of its kind, or
 * options with either as their `name`. Options without a name are those of the entry that has them, `usual` first;
 * without a usual one a name must be given.
 *
 * @param kind as in `define…`; "" where there is none
 */
export function partFrom<E extends Entry>(
  kind: string,
  catalogue: Readonly<Record<string, unknown>>,
  usual?: string,
): z.ZodType<Part<E>> {
  const entries = catalogue as Catalogue;
  const given = z.unknown(); // is the same in copies of the schema, as with a description
  const schema = given.transform((value, context): unknown => {
    const say: Say = (message, path = []) =>
      context.addIssue({ code: "custom", message, path: [...path] });
    const { chosen, options } = spelledOut(value);
    const meant = chosen ?? (usual && entryOf(entries, usual, options));
    const entry = entryFor(entries, kind, meant, say);
    const parsed = entry && optionsFor(entry, options, say);
    return parsed === undefined ? z.NEVER : { entry, options: parsed };
  });
  partSchemas.set(given, { catalogue: entries, usual });
  return (usual === undefined ? schema : schema.prefault({ name: usual })) as z.ZodType<Part<E>>;
}

/** A part as configs write it. */
export const named = ({ entry, options }: Part<{ readonly name: string }>): Named => ({
  name: entry.name,
  ...options,
});
