import { basename, extname } from "node:path";

import { ConfigError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";
import { suggest } from "../core/suggest.ts";
import {
  type ConfigTree,
  type MethodName,
  methodNames,
  methods,
  omit,
  overlay,
  setAt,
  valueOf,
} from "../train/index.ts";
import { repeated, splitList } from "./lists.ts";

/** One of the things compared: a name and what it sets over the base. The first one is the base. */
export type Arm = {
  readonly name: string;
  readonly file: ConfigTree; // its own config file, or nothing
  readonly method: MethodName | undefined;
  readonly set: readonly (readonly [path: string, value: unknown])[];
};

/** What arms are made of. */
export type ArmSources = {
  readonly methods?: string | undefined; // `simclr,hcl`
  readonly configs?: readonly { readonly path: string; readonly tree: ConfigTree }[];
  readonly over?: readonly string[]; // `loss.temperature=0.1,0.2`
};

type Side = Omit<Arm, "set">;

function methodSide(name: string): Side {
  if ((methodNames as readonly string[]).includes(name)) {
    return { name, file: {}, method: name as MethodName };
  }
  const near = suggest(name, methodNames);
  throw new ConfigError(
    `compare: ${quoted(name)} is no method`,
    near === undefined ? "contrapose list methods names them all" : `did you mean ${near}?`,
  );
}

/** Settings that a comparison gives its runs itself, with what says them. */
const itsOwn: Readonly<Record<string, string>> = {
  method: "--methods names the methods to compare",
  seed: "--seeds gives each arm the same seeds",
  out: "--out is the folder of the whole comparison",
  minutes: "--budget gives each run a time",
};

/** Refuses a `path=value` of what the comparison itself decides. */
export function checkFree(word: string, flag: "--set" | "--over"): void {
  const [path] = word.split("=");
  if (!Object.hasOwn(itsOwn, path)) return;
  throw new ConfigError(
    `compare: ${flag} ${word} sets what the comparison decides for all runs`,
    itsOwn[path],
  );
}

/** A list of one option's values. */
function grid(word: string): Arm["set"] {
  checkFree(word, "--over");
  const [path, ...rest] = word.split("=");
  const values = splitList(rest.join("="));
  if (
    !/^[a-zA-Z$][\w.]*$/.test(path) ||
    values.length < 1 ||
    values.some((value) => value === "")
  ) {
    throw new ConfigError(
      `compare: --over ${word} is no path=values`,
      "as in --over loss.temperature=0.1,0.2,0.5",
    );
  }
  return values.map((value) => [path, valueOf(value)] as const);
}

const spelled = ([path, value]: readonly [string, unknown]): string =>
  `${path}=${typeof value === "string" ? value : JSON.stringify(value)}`;

/** Every choice of one value of each list. */
const product = (grids: readonly Arm["set"][]): Arm["set"][] =>
  grids.reduce<Arm["set"][]>(
    (made, values) => made.flatMap((set) => values.map((value) => [...set, value])),
    [[]],
  );

/**
 * The arms in the order given: methods, then configs, each with every value of the grids. Throws
 * `ConfigError` where one is unknown or given twice, or where there is nothing to compare.
 */
export function makeArms({ methods: names, configs = [], over = [] }: ArmSources): Arm[] {
  const listed = names === undefined ? [] : splitList(names);
  const sides: Side[] = [
    ...listed.map(methodSide),
    ...configs.map(({ path, tree }) => ({
      name: basename(path, extname(path)),
      file: tree,
      method: undefined,
    })),
  ];
  const grids = over.map(grid);
  const alone: Side[] = sides.length === 0 ? [{ name: "", file: {}, method: undefined }] : sides;
  const arms = alone.flatMap((side) =>
    product(grids).map((set) => {
      const shown = sides.length === 1 && set.length > 0 ? "" : side.name;
      return { ...side, set, name: [shown, ...set.map(spelled)].join(" ").trim() };
    }),
  );
  const twice = repeated(arms.map(({ name }) => name));
  if (twice !== undefined && twice !== "") {
    throw new ConfigError(`compare: ${quoted(twice)} is given twice, expected it once`);
  }
  if (arms.length > 1) return arms;
  throw new ConfigError(
    "compare: there is nothing to compare, expected at least two arms",
    "name them by --methods simclr,hcl, --configs a.yaml,b.yaml or --over loss.temperature=0.1,0.2",
  );
}

/** Keys of a config file that say nothing of an arm: seeds and places are the comparison's. */
const ignored = ["out", "seed", "minutes", "about", "$schema"];
const parts = ["framework", "loss", "samplers", "mixer"] as const;

/** Name of a part, `hardNegative`, or names of a chain; undefined where a tree leaves it open. */
function nameOf(value: unknown): string | undefined {
  if (Array.isArray(value)) return value.map((one: { name?: string }) => one.name).join(",");
  return typeof value === "string" ? value : (value as { name?: string } | undefined)?.name;
}

/** Parts that a tree names otherwise than a method does: with them the method would not be itself. */
export function foreignParts(method: MethodName, tree: ConfigTree): string[] {
  const own: ConfigTree = methods[method].config;
  return parts.filter((part) => {
    const given = nameOf(tree[part]);
    return given !== undefined && given !== (nameOf(own[part]) ?? "");
  });
}

/** The config file below an arm: the base without what the arm's method replaces, the arm's file over it. */
export function fileUnder(base: ConfigTree, { file, method }: Arm): ConfigTree {
  const foreign = method === undefined ? [] : foreignParts(method, base);
  const kept = omit(overlay(base, file), ...ignored, ...foreign);
  return method === undefined ? kept : { ...kept, method };
}

/** What an arm sets over file and flags. Throws `ConfigError` where flags contradict its method. */
export function withArm(tree: ConfigTree, { name, method, set }: Arm): ConfigTree {
  const laid = set.reduce<ConfigTree>(
    (at, [path, value]) => setAt(at, path, value),
    method === undefined ? tree : { ...tree, method },
  );
  const [foreign] = method === undefined ? [] : foreignParts(method, laid);
  if (foreign === undefined) return laid;
  throw new ConfigError(
    `compare: ${foreign} is set to ${nameOf(laid[foreign])}, so ${name} would no longer be ${method}`,
    "leave it out, or write the arms as files: --configs a.yaml,b.yaml",
  );
}

/** A name for files: letters, digits and a few marks. */
export const fileName = (name: string): string =>
  name.replace(/[^\p{L}\p{N}._=-]+/gu, "-").replace(/^[-.]+|-+$/g, "") || "arm";
