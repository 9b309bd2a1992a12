import { readFileSync } from "node:fs";
import { extname } from "node:path";

import { entryOf, isDefinition } from "../core/catalogue.ts";
import { ConfigError } from "../core/errors.ts";
import { parseJson } from "../core/json.ts";
import { mistakes } from "../core/options.ts";
import { harmless, quoted } from "../core/quote.ts";
import { adapters } from "../encoders/index.ts";
import { addToCatalogues } from "../frameworks/index.ts";
import { TrainConfig, type ConfigTree } from "./schema.ts";

const isTree = (value: unknown): value is ConfigTree =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** An object without some of its keys. */
export function omit<T extends object, K extends keyof T>(
  from: T,
  ...keys: readonly K[]
): Omit<T, K> {
  const left = Object.entries(from).filter(([key]) => !(keys as readonly string[]).includes(key));
  return Object.fromEntries<unknown>(left) as Omit<T, K>;
}

/** Keys whose value is one entry of a catalogue: a bare name stands for the entry. */
const choices = ["framework", "encoder", "head", "loss", "mixer", "optimiser", "adapter"] as const;

/** The name of a value of one's own, which joins the catalogue of its kind; all else as it is. */
function named(kind: string, chosen: unknown): unknown {
  if (!isDefinition(chosen) || chosen.kind !== kind) return chosen;
  addToCatalogues(chosen);
  return chosen.name;
}

/** A choice with its name written out: `"sgd"` as `{ name: "sgd" }`. */
function spelled(kind: string, value: unknown): unknown {
  const name = named(kind, value);
  if (typeof name === "string") return { name: name.trim() };
  if (!isTree(value) || value.name === undefined) return value;
  return { ...value, name: named(kind, value.name) };
}

/** A chain of samplers as it may be written, `ring`, `groups,ring` or a list, as a list of entries. */
function spelledSamplers(value: unknown): unknown {
  const list =
    typeof value === "string" ? value.split(",") : Array.isArray(value) ? value : [value];
  return list.map((one: unknown) => spelled("sampler", one));
}

/** The tree with names of catalogue entries written out, of values of one's own too: they join the catalogues. */
export function spelledOut(tree: ConfigTree): ConfigTree {
  const named = choices.flatMap((key) =>
    tree[key] === undefined ? [] : [[key, spelled(key, tree[key])]],
  );
  const views = typeof tree.views === "string" ? { views: { preset: tree.views } } : {};
  const samplers = tree.samplers === undefined ? {} : { samplers: spelledSamplers(tree.samplers) };
  return { ...tree, ...(Object.fromEntries(named) as ConfigTree), ...views, ...samplers };
}

/** A tree with another laid over it. Another entry of a catalogue does not inherit the old one's options. */
export function overlay(base: ConfigTree, over: ConfigTree): ConfigTree {
  const result = new Map(Object.entries(base)); // whose keys may be "__proto__"
  for (const [key, value] of Object.entries(over)) {
    if (value === undefined) continue;
    const under = result.get(key);
    const replaced =
      !isTree(value) ||
      !isTree(under) ||
      (value.name !== undefined && under.name !== undefined && value.name !== under.name);
    result.set(key, replaced ? value : overlay(under, value));
  }
  return Object.fromEntries(result);
}

/** A chain with an option of one sampler set, found by its place or its name: `0.topK`, `ring.outer`. */
function samplerSet(chain: unknown, [which, ...rest]: string[], value: unknown): unknown[] {
  const list = (chain === undefined ? [] : spelledSamplers(chain)) as ConfigTree[];
  const place = /^\d+$/.test(which) ? Number(which) : list.findIndex(({ name }) => name === which);
  const at = place < 0 ? list.length : place;
  const entry = list[at] ?? (/^\d+$/.test(which) ? {} : { name: which });
  const changed = rest.length === 0 ? value : setAt(entry, rest.join("."), value);
  return [...list.slice(0, at), changed, ...list.slice(at + 1)];
}

/** Sets a value at a path, `optimiser.weightDecay`; a bare name on the way is written out first. */
export function setAt(tree: ConfigTree, path: string, value: unknown): ConfigTree {
  const [key, ...rest] = path.split(".");
  if (key === "samplers" && rest.length === 0) return { ...tree, samplers: spelledSamplers(value) };
  if (key === "samplers") return { ...tree, samplers: samplerSet(tree.samplers, rest, value) };
  if (rest.length === 0) {
    const named = (choices as readonly string[]).includes(key) && typeof value === "string";
    const preset = key === "views" && typeof value === "string";
    const laid = named ? { name: value } : preset ? { preset: value } : value;
    return overlay(tree, { [key]: laid });
  }
  const spelled = spelledOut(tree);
  const under = Object.hasOwn(spelled, key) ? spelled[key] : undefined;
  return { ...tree, [key]: setAt(isTree(under) ? under : {}, rest.join("."), value) };
}

/** The value that a word on the command line stands for: a number, a list, JSON, or the word itself. */
export function valueOf(word: string): unknown {
  if (/^-?\d+(,-?\d+)+$/.test(word)) return word.split(",").map(Number);
  try {
    return parseJson(word);
  } catch {
    return word;
  }
}

/** Reads a config file, JSON or YAML. */
export async function readConfigFile(path: string): Promise<ConfigTree> {
  let text: string;
  try {
    text = readFileSync(path, "utf8").replace(/^\ufeff/, "");
  } catch (cause) {
    const why =
      (cause as NodeJS.ErrnoException).code === "ENOENT" ? "does not exist" : "cannot be read";
    throw new ConfigError(`config file ${quoted(path)} ${why}`, undefined, { cause });
  }
  const value = await parsed(path, text);
  if (isTree(value)) return spelledOut(value);
  throw new ConfigError(`config file ${quoted(path)} holds no object of options`);
}

async function parsed(path: string, text: string): Promise<unknown> {
  try {
    if (extname(path) === ".json") return parseJson(text);
    const { parseYaml } = await import("./parseYaml.ts");
    return parseYaml(text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
    const what = `config file ${quoted(path)} cannot be parsed: ${harmless(why).slice(0, 200)}`;
    throw new ConfigError(what, undefined, { cause });
  }
}

function choiceMistakes(tree: ConfigTree): string[] {
  return choices.flatMap((key) => {
    const value = tree[key];
    const known = typeof value === "string" || typeof value === "function" || isTree(value);
    if (value === undefined || known) return [];
    return [`${key}: expected a name or an object with a name (is ${quoted(value, 100)})`];
  });
}

/** The tree with the adapter that its options stand for, as `openConfig` will choose it. */
function withAdapter(tree: ConfigTree): ConfigTree {
  const { adapter } = tree;
  if (!isTree(adapter) || adapter.name !== undefined) return tree;
  return { ...tree, adapter: { ...adapter, name: entryOf(adapters, "linear", adapter) } };
}

/** What is wrong with a config, one sentence a mistake, all of them. */
export function configMistakes(tree: ConfigTree): string[] {
  const odd = choiceMistakes(tree);
  const sound = Object.fromEntries(
    Object.entries(tree).filter(([key]) => !odd.some((line) => line.startsWith(`${key}:`))),
  );
  const found = mistakes(TrainConfig, withAdapter(sound)).map((line) => {
    if (line === "data: Invalid input: expected string, received undefined") {
      return "data is missing, expected where the images are";
    }
    return line.replace("Invalid input: ", "").replace(/ \(is \{.*\}\)$/, ""); // the tree says no more
  });
  return [...odd, ...found];
}
