import { join } from "node:path";

import {
  type Arm,
  type Budget,
  checkFree,
  fileNames,
  fileUnder,
  foreignParts,
  makeArms,
  parseBudget,
  parseSeeds,
  splitList,
  withArm,
} from "../../../compare/index.ts";
import { ConfigError } from "../../../core/errors.ts";
import { quoted } from "../../../core/quote.ts";
import { suggest } from "../../../core/suggest.ts";
import { datasetName } from "../../../inference/index.ts";
import { type ConfigTree, omit, type RunConfig } from "../../../train/index.ts";
import { mistakesError } from "../../arguments.ts";
import type { Call } from "../../verb.ts";
import { layeredSettings, settingMistakes, settingsFile } from "../../common/settings.ts";
import { valueReader } from "../../common/values.ts";

/** An arm with its config, without seed, places and what all runs share. */
export type AskedArm = { readonly name: string; readonly file: string; readonly tree: ConfigTree };

/** What a call asks for. */
export type Request = {
  readonly arms: readonly AskedArm[];
  readonly seeds: readonly number[];
  readonly budget: Budget;
  readonly out: string;
  readonly data: string;
  readonly test: string | undefined;
  readonly groups: string | undefined; // a file
  readonly labels: string | undefined; // a file
  readonly split: RunConfig["split"];
  readonly from: string | undefined; // the pretrained encoder
  readonly parallel: number | undefined;
  readonly overwrite: boolean;
  readonly again: readonly string[]; // arms whose runs are made again
  readonly notes: readonly string[]; // what was left out of the base, and why
};

const DEFAULT_SEEDS = "3";

type Read = { trees: readonly ConfigTree[]; arms: readonly Arm[]; notes: string[] };

async function readArms(call: Call): Promise<Read> {
  const { methods, configs, over, config } = call.options;
  const paths = typeof configs === "string" ? splitList(configs) : [];
  const files = await Promise.all(
    paths.map(async (path) => ({ path, tree: await settingsFile(path) })),
  );
  const arms = makeArms({
    ...(typeof methods === "string" ? { methods } : {}),
    configs: files,
    over: (over as string[] | undefined) ?? [],
  });
  const base = await settingsFile(config);
  const trees = arms.map((arm) => treeOf(arm, base, call));
  const notes = arms.flatMap(({ name, method }) => {
    const foreign = method === undefined ? [] : foreignParts(method, base);
    return foreign.length === 0 ? [] : [`${name} brings its own ${foreign.join(" and ")}`];
  });
  return { trees, arms, notes };
}

/** The arm's preset, the files over it, flags, `--set`, and what the arm itself sets. */
function treeOf(arm: Arm, base: ConfigTree, call: Call): ConfigTree {
  const { tree, odd } = layeredSettings(call, "compare", fileUnder(base, arm), true);
  const laid = withArm(tree, arm);
  const found = [...odd, ...settingMistakes(laid, call)];
  if (found.length > 0) {
    const hint = "contrapose train --help and contrapose list describe all settings";
    throw mistakesError(arm.name === "" ? "compare" : `compare: ${arm.name}`, found, hint);
  }
  return laid;
}

/** The one value that all arms have of a setting. Throws `ConfigError` where they differ. */
function common(key: string, { trees, arms }: Read): unknown {
  const at = trees.findIndex((tree) => tree[key] !== trees[0][key]);
  if (at < 0) return trees[0][key];
  const show = (i: number) => `${arms[i].name} ${quoted(trees[i][key] ?? null)}`;
  throw new ConfigError(
    `compare: ${key} differs between arms (${show(0)}, ${show(at)}), expected the same in all`,
    `give it once, by --${key}`,
  );
}

/** Words of an option that may be repeated. */
const wordsOf = (call: Call, name: string): readonly string[] =>
  (call.options[name] as string[] | undefined) ?? [];

function budgetOf(read: Read, text: string | undefined, call: Call): Budget {
  const set = [...wordsOf(call, "set"), ...wordsOf(call, "over")];
  const given = call.options.epochs !== undefined || set.some((word) => /^epochs=/.test(word));
  if (text !== undefined && given) {
    throw new ConfigError(
      "compare: epochs and --budget exclude each other",
      "--epochs gives all arms as many epochs, --budget as much time",
    );
  }
  if (text !== undefined) return { kind: "time", seconds: parseBudget(text) };
  if (common("epochs", read) !== undefined) return { kind: "epochs" };
  throw new ConfigError(
    "compare: neither --epochs nor --budget is given, expected one of them",
    "--epochs 20 gives all arms as many epochs, --budget 10m as much time",
  );
}

/** Names of arms in a default folder: it is the same for the same call, which then goes on. */
function defaultOut(data: string, files: readonly string[]): string {
  const arms = files.slice(0, 4).join("-");
  return join("runs", `compare-${datasetName(data)}-${arms}`.slice(0, 100));
}

/** Arms whose runs are to be made again. Throws `ConfigError` where there is no such arm. */
function againOf(text: string | undefined, arms: readonly Arm[]): string[] {
  const known = arms.map(({ name }) => name);
  const asked = text === undefined ? [] : splitList(text);
  const wrong = asked.find((name) => !known.includes(name));
  if (wrong === undefined) return asked;
  const near = suggest(wrong, known);
  throw new ConfigError(
    `compare: --again names ${quoted(wrong)}, expected an arm of this call`,
    near === undefined ? `arms are ${known.join(", ")}` : `did you mean ${near}?`,
  );
}

/** Reads what a call asks for. Throws `ConfigError` with what is wrong with it. */
export async function readRequest(call: Call): Promise<Request> {
  const { options } = call;
  const values = valueReader("compare", options);
  const parallel = values.number("parallel", { whole: true, least: 1, most: 1024 });
  values.check();
  for (const word of wordsOf(call, "set")) checkFree(word, "--set");
  const seeds = parseSeeds(values.text("seeds") ?? DEFAULT_SEEDS);
  const read = await readArms(call);
  const budget = budgetOf(read, values.text("budget"), call);
  const dropped = budget.kind === "time" ? ["epochs", "minutes"] : ["minutes"];
  const files = fileNames(read.arms.map(({ name }) => name));
  const data = String(common("data", read));
  return {
    arms: read.arms.map(({ name }, i) => ({
      name,
      file: files[i],
      tree: omit(read.trees[i], ...dropped, "test", "out", "seed", "about", "$schema"),
    })),
    seeds,
    budget,
    data,
    test: common("test", read) as string | undefined,
    groups: common("groups", read) as string | undefined,
    labels: common("labels", read) as string | undefined,
    split: common("split", read) as RunConfig["split"],
    from: common("from", read) as string | undefined,
    again: againOf(values.text("again"), read.arms),
    out: values.text("out") ?? defaultOut(data, files),
    parallel,
    overwrite: options.overwrite === true,
    notes: read.notes,
  };
}
