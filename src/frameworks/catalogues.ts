import { type Definition, entryNamed, isDefinition } from "../core/catalogue.ts";
import { ConfigError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";
import { encoders, heads } from "../encoders/index.ts";
import { losses } from "../losses/index.ts";
import { optimisers } from "../optim/index.ts";
import { mixers, type Sampler, samplers } from "../sampling/index.ts";
import { frameworks } from "./catalogue.ts";
import type { FrameworkEntry } from "./defineFramework.ts";

/** Every catalogue that takes definitions of one's own, by the kind of its entries. */
export const catalogues = {
  framework: frameworks,
  encoder: encoders,
  head: heads,
  loss: losses,
  sampler: samplers,
  mixer: mixers,
  optimiser: optimisers,
};

/** A kind of part. */
export type Kind = keyof typeof catalogues;

const own = new WeakSet<object>();

/** Whether an entry of a catalogue is one's own, not of the package. */
export const isOwn = (entry: object): boolean => own.has(entry);

/** The entry of a kind by its name; undefined where there is none. */
export const entryOfKind = (kind: Kind, name: string): Definition | undefined =>
  entryNamed<Definition>(catalogues[kind], name);

/** A sampler by its name; undefined where there is none. */
export const samplerNamed = (name: string) => entryNamed<Sampler>(samplers, name);

/** A framework by its name; undefined where there is none. */
export const frameworkNamed = (name: string) => entryNamed<FrameworkEntry>(frameworks, name);

function add(value: unknown): void {
  if (!isDefinition(value) || !Object.hasOwn(catalogues, value.kind)) {
    throw new ConfigError(
      `expected what defineLoss, defineSampler or another define… gives, not ${quoted(value)}`,
    );
  }
  const { kind, name } = value as Definition & { kind: Kind };
  if (!/^[a-zA-Z]\w*$/.test(name)) {
    throw new ConfigError(`the name of a ${kind} is ${quoted(name)}, expected letters and digits`);
  }
  const there = entryOfKind(kind, name);
  if (there === value) return;
  if (there !== undefined) {
    throw new ConfigError(
      `${quoted(name)} names another ${kind} already${isOwn(there) ? "" : ", of the package"}`,
      "give yours another name",
    );
  }
  Object.assign(catalogues[kind], { [name]: value });
  own.add(value);
}

/**
 * Adds definitions of one's own to the catalogues of this process, where configs and files of runs find them by their
 * names from then on. Throws `ConfigError` where one is no definition, or its name is taken by another one.
 */
export function addToCatalogues(...definitions: readonly unknown[]): void {
  for (const definition of definitions) add(definition);
}
