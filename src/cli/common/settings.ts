import { z } from "zod";

import { schemaAt } from "../../config/settings.ts";
import { ConfigError } from "../../core/errors.ts";
import { quoted } from "../../core/quote.ts";
import {
  type ConfigTree,
  configMistakes,
  methodNames,
  overlay,
  loadPlugins,
  readConfigFile,
  setAt,
  valueOf,
  withPreset,
} from "../../train/index.ts";
import { mistakesError } from "../arguments.ts";
import { type Call, keyOf, longName, type OptionSpec } from "../verb.ts";

/** The value of a setting as a word says it: text even where it looks like a number, a list even of one. */
function flagValue(path: string, word: string): unknown {
  const schema = schemaAt(path);
  if (schema instanceof z.ZodString) return word;
  const value = valueOf(word);
  return schema instanceof z.ZodArray && typeof value === "number" ? [value] : value;
}

function fromFlags({ specs, options }: Call): ConfigTree {
  return specs.reduce<ConfigTree>((tree, spec) => {
    const value = options[keyOf(spec)];
    if (spec.path === undefined || typeof value !== "string") return tree;
    return setAt(tree, spec.path, flagValue(spec.path, value));
  }, {});
}

function withSet(tree: ConfigTree, words: readonly string[]): { tree: ConfigTree; odd: string[] } {
  const odd: string[] = [];
  const result = words.reduce((at, word) => {
    const [path, ...value] = word.split("=");
    if (value.length === 0 || !/^[a-zA-Z$]\w*(\.\w+){0,15}$/.test(path)) {
      odd.push(`--set ${quoted(word, 100)} is no path=value`);
      return at;
    }
    return setAt(at, path, flagValue(path, value.join("=")));
  }, tree);
  return { tree: result, odd };
}

const isMethod = (name: unknown): boolean =>
  (methodNames as readonly unknown[]).includes(name ?? "simclr");

/** A mistake in a setting under the name by which the user gave it. */
function namedAsGiven(mistake: string, given: readonly OptionSpec[]): string {
  const spec = given.find(({ path }) => path !== undefined && mistake.startsWith(`${path}:`));
  const nested = given.find(
    ({ path }) => path !== undefined && mistake.startsWith(`${path}.name:`),
  );
  if (spec?.path !== undefined) return longName(spec) + mistake.slice(spec.path.length);
  if (nested?.path !== undefined) return longName(nested) + mistake.slice(nested.path.length + 5);
  return mistake;
}

/** A config file, whose plugins are loaded; nothing where none is given. */
export async function settingsFile(path: unknown): Promise<ConfigTree> {
  if (typeof path !== "string") return {};
  const tree = await readConfigFile(path);
  await loadPlugins(tree.plugins);
  return tree;
}

/**
 * A config laid out of a file, then flags, then `--set`, with what is no path=value among these; not checked. With
 * `preset` the method's own config lies beneath, so that `--set` changes options of its samplers.
 */
export function layeredSettings(
  call: Call,
  verb: string,
  file: ConfigTree,
  preset = false,
): { tree: ConfigTree; odd: string[] } {
  const { options, words } = call;
  const flags = fromFlags(call);
  if (words[0] !== undefined) {
    const other = options.data;
    if (typeof other === "string" && other !== words[0]) {
      throw new ConfigError(`${verb}: data is given twice, as ${words[0]} and as --data ${other}`);
    }
    flags.data = words[0];
  }
  if (Array.isArray(options.plugin)) {
    const named = Array.isArray(file.plugins) ? (file.plugins as unknown[]) : [];
    flags.plugins = [...new Set([...named, ...options.plugin])];
  }
  const laid = overlay(file, flags);
  const base = preset && isMethod(laid.method) ? withPreset(laid) : laid;
  return withSet(base, (options.set as string[] | undefined) ?? []);
}

/** What is wrong with a config over its method's preset, each mistake under the flag that made it. */
export function settingMistakes(tree: ConfigTree, { specs, options }: Call): string[] {
  const given = specs.filter((spec) => options[keyOf(spec)] !== undefined);
  // options without a name are those of the preset's loss, sampler or framework
  const whole = isMethod(tree.method) ? withPreset(tree) : tree;
  return configMistakes(whole).map((mistake) => namedAsGiven(mistake, given));
}

/**
 * The config of a call: the method's preset, then file, then flags, then `--set`; without the preset where a run
 * that exists has its own. Throws `ConfigError` with every mistake, each
 * under the name of the flag that made it.
 */
export async function readSettings(
  call: Call,
  verb: string,
  { preset = true }: { preset?: boolean } = {},
): Promise<ConfigTree> {
  const file = await settingsFile(call.options.config);
  const { tree, odd } = layeredSettings(call, verb, file, preset);
  const found = [...odd, ...settingMistakes(tree, call)];
  const hint =
    tree.data === undefined && found.length === 1
      ? `as in contrapose ${verb} ./photos`
      : `contrapose ${verb} --help and contrapose list describe all settings`;
  if (found.length > 0) throw mistakesError(verb, found, hint);
  return tree;
}
