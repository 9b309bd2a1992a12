import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";

import { z } from "zod";

import { DataError } from "../../core/errors.ts";
import { quoted } from "../../core/quote.ts";
import { parseJson } from "../../core/json.ts";
import { mistakes } from "../../core/options.ts";
import { fileError, writeFileAtomic } from "../../files/index.ts";
import type { AutomaticChoice } from "../../config/automatic.ts";
import type { ConfigTree, RunConfig } from "../../config/schema.ts";
import { configMistakes, omit } from "../../config/layers.ts";
import { settingsWhere } from "../../config/settings.ts";
import type { describeMachine } from "./machine.ts";
import { withoutMissing } from "../../config/ownParts.ts";
import { existingRun, type RunFolder } from "./runFolder.ts";
import type { Target } from "../stepper.ts";

/** What was noted when a run began: versions and machine, its images, what was chosen for it. */
export type AboutRun = ReturnType<typeof describeMachine> & {
  readonly started: string; // ISO 8601
  readonly dataset: {
    readonly images: number;
    readonly fingerprint: string;
    readonly shortSide?: number | undefined; // median shorter side of the files, pixels
    readonly classes?: readonly string[] | undefined;
  };
  readonly choices: readonly AutomaticChoice[];
  readonly lowering?: Target["tune"];
};

/** The config.json of a run. */
export type WrittenConfig = RunConfig & { readonly about: AboutRun };

const named = z.looseObject({ name: z.string() });

/** What tells the config of a run from other files of that name. */
const written = z.looseObject({
  data: z.string(),
  out: z.string(),
  method: z.string(),
  device: z.string(),
  framework: named,
  encoder: named,
  head: named,
  loss: named,
  optimiser: named,
  samplers: z.array(named),
  views: z.looseObject({}),
  learningRate: z.number(),
  epochs: z.int().min(1),
  batchSize: z.int().min(1),
  imageSize: z.int().min(1),
  seed: z.int(),
  threads: z.int(),
  about: z.looseObject({
    dataset: z.looseObject({
      images: z.int().min(0),
      fingerprint: z.string(),
      shortSide: z.number().optional(),
      classes: z.array(z.string()).optional(),
    }),
    choices: z.array(z.looseObject({ path: z.string(), reason: z.string() })),
    lowering: z.record(z.string(), z.string()).optional(),
  }),
});

/** Reads the config.json of a run. Throws `DataError` where it is damaged or of something else. */
export function readRunConfig({ config }: RunFolder): WrittenConfig {
  const fail = (what: string, options?: ErrorOptions) =>
    new DataError(
      `${quoted(config)} ${what}`,
      "give the folder that contrapose train made",
      options,
    );
  let text: string;
  try {
    text = readFileSync(config, "utf8");
  } catch (error) {
    throw fileError(error, "read", config);
  }
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (cause) {
    throw fail("is no JSON: it was changed or cut short", { cause });
  }
  const wrong =
    mistakes(written, value).at(0) ?? configMistakes(withoutMissing(value as ConfigTree)).at(0);
  if (wrong === undefined) return value as WrittenConfig;
  const plain = wrong.replace("Invalid input: ", "").replace(/ \(is .*\)$/s, "");
  throw fail(`is not the config of a run: ${plain}`);
}

/** Writes the config.json of a run. */
export async function writeRunConfig({ config }: RunFolder, content: WrittenConfig): Promise<void> {
  await writeFileAtomic(config, `${JSON.stringify(content, null, 2)}\n`);
}

/** The config of a run that exists. */
export function runConfig(path: string): RunConfig {
  return omit(readRunConfig(existingRun(path)), "about");
}

const places = settingsWhere(({ unit = "" }) => /^(path|file|folder|start)$/.test(unit));

/** A config with its paths in full, so that they hold whatever folder it is read in. */
export function withFullPaths<T extends ConfigTree>(tree: T): T {
  const full = places.flatMap((key) => {
    const path = tree[key];
    const isPath = typeof path === "string" && (key !== "from" || existsSync(path)); // else of a hub
    return isPath ? [[key, resolve(path)]] : [];
  });
  return { ...tree, ...(Object.fromEntries(full) as Partial<T>) };
}
