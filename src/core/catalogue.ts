import { z } from "zod";

import { quoted } from "./quote.ts";
import { suggest } from "./suggest.ts";

type Entry = { readonly name: string; readonly options: z.ZodObject };
type Catalogue = Record<string, Entry>;

/** One entry of a catalogue with its options: `{ name: "infoNce", temperature: 0.1 }`. */
export type Choice<C extends Catalogue> = {
  [K in keyof C]: { name: K } & z.output<C[K]["options"]>;
}[keyof C];

/** Options that an entry does not have, by name. */
export const unknownTo = (entry: Entry, options: object): string[] =>
  Object.keys(options).filter((name) => !Object.hasOwn(entry.options.shape, name));

/** The entry of a catalogue by a name from outside; undefined where it is not its own, as `constructor` is not. */
export const entryNamed = <E>(
  catalogue: Readonly<Record<string, E>>,
  name: string,
): E | undefined => (Object.hasOwn(catalogue, name) ? catalogue[name] : undefined);

/** The entry that options without a name are of: `usual` unless only others have them all, then the first of these. */
export function entryOf(catalogue: Catalogue, usual: string, options: object): string {
  const has = (name: string) => unknownTo(catalogue[name], options).length === 0;
  return [usual, ...Object.keys(catalogue)].find(has) ?? usual;
}

/**
 * Config schema of one choice from a catalogue. A bare name stands for that entry with its defaults,
 * and options without a name belong to `fallback`; without a fallback the name must be given.
 */
export function choiceFrom<C extends Catalogue>(catalogue: C, fallback?: keyof C & string) {
  const names = Object.keys(catalogue);
  const schema = z.unknown().transform((value, context): unknown => {
    const spelled =
      typeof value === "string"
        ? { name: value }
        : { name: fallback, ...(value as Record<string, unknown> | undefined) };
    if (spelled.name === undefined) {
      const message = `expected a name, one of ${names.join(", ")}`;
      context.addIssue({ code: "custom", message });
      return z.NEVER;
    }
    const entry = entryNamed<Entry>(catalogue, String(spelled.name));
    if (entry === undefined) {
      const near = suggest(String(spelled.name), names);
      const message = `${quoted(spelled.name)} is none of ${names.join(", ")}${near === undefined ? "" : `, did you mean ${near}?`}`;
      context.addIssue({ code: "custom", message });
      return z.NEVER;
    }
    const result = entry.options.extend({ name: z.literal(spelled.name) }).safeParse(spelled);
    if (result.success) return result.data;
    for (const issue of result.error.issues) {
      if (issue.code === "unrecognized_keys") {
        for (const key of issue.keys) {
          const near = suggest(key, Object.keys(entry.options.shape));
          const message = `${key} is not an option of ${entry.name}${near === undefined ? "" : `, did you mean ${near}?`}`;
          context.addIssue({ code: "custom", message, path: issue.path });
        }
      } else context.addIssue({ code: "custom", message: issue.message, path: issue.path });
    }
    return z.NEVER;
  });
  const whole = fallback === undefined ? schema : schema.prefault({});
  return whole as unknown as z.ZodType<Choice<C>, Choice<C> | string | undefined>;
}
