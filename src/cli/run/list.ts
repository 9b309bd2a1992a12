import { counted } from "../../core/counted.ts";
import type { z } from "zod";

import { ConfigError } from "../../core/errors.ts";
import { quoted } from "../../core/quote.ts";
import { suggest } from "../../core/suggest.ts";
import { adapters } from "../../encoders/index.ts";
import { starts } from "../../inference/index.ts";
import { catalogues } from "../../frameworks/index.ts";
import { configSchema, listSettings, usualOf } from "../../config/settings.ts";
import { methods, omit } from "../../train/index.ts";
import { viewPresets } from "../../views/index.ts";
import type { Answer, Call } from "../verb.ts";

type Entry = { name: string; summary: string; source: string; options: z.ZodObject };
type Described = {
  name: string;
  summary: string;
  source: string;
  options: Record<string, { default: unknown; describe: string }>;
};

const entriesOf: Record<string, Record<string, Entry>> = {
  frameworks: catalogues.framework,
  encoders: catalogues.encoder,
  heads: catalogues.head,
  adapters,
  losses: catalogues.loss,
  samplers: catalogues.sampler,
  mixers: catalogues.mixer,
  optimisers: catalogues.optimiser,
};

function defaultOf(schema: z.ZodType): unknown {
  const result = schema.safeParse(undefined);
  return result.success ? result.data : undefined;
}

function described({ name, summary, source, options }: Entry): Described {
  const entries = Object.entries(options.shape);
  return {
    name,
    summary,
    source,
    options: Object.fromEntries(
      entries.map(([key, schema]) => [
        key,
        { default: defaultOf(schema), describe: schema.description ?? "" },
      ]),
    ),
  };
}

/** Methods with what they set. */
function methodEntries(): Described[] {
  return Object.entries(methods).map(([name, { summary, source, config }]) => ({
    name,
    summary,
    source,
    options: Object.fromEntries(
      Object.entries(config).map(([key, value]) => [
        key,
        { default: value as unknown, describe: "" },
      ]),
    ),
  }));
}

function viewEntries(): Described[] {
  return Object.values(viewPresets).map(({ preset, size, count, ...rest }) => ({
    name: preset,
    summary: `${counted(count, "view")} of ${size} px, ${Object.keys(rest).length} transforms and settings.`,
    source:
      preset === "moco"
        ? "Chen et al. 2020, arXiv:2003.04297"
        : "Chen et al. 2020, arXiv:2002.05709",
    options: {},
  }));
}

/** Pretrained encoders by their short names. */
function startEntries(): Described[] {
  return Object.entries(starts).map(([name, start]) => ({
    name,
    ...start,
    source: `${start.id}, ${start.licence}, ${start.megabytes} MB, ${start.parameters} million parameters, ${start.imageSize} px`,
    options: {},
  }));
}

/** Every setting of a training config that is no option of a part, with what holds where it is left out. */
const settingEntries = (): Described[] =>
  listSettings().map((setting) => ({
    name: setting.path,
    summary: `${setting.description}${usualOf(setting) && ` (${usualOf(setting)})`}`,
    source: setting.flag ?? "",
    options: {},
  }));

/** Everything that configs can name, by kind. */
export function catalogue(): Record<string, Described[]> {
  const known = Object.entries(entriesOf).map(([kind, entries]) => [
    kind,
    Object.values(entries).map(described),
  ]);
  return {
    methods: methodEntries(),
    ...(Object.fromEntries(known) as Record<string, Described[]>),
    views: viewEntries(),
    starts: startEntries(),
    settings: settingEntries(),
  };
}

function lines(entry: Described, width: number): string[] {
  const head = `  ${entry.name.padEnd(width)} ${entry.summary}`;
  const source = `${"".padEnd(width + 3)}${entry.source}`;
  const options = Object.entries(entry.options).map(([name, option]) => {
    const value = option.default === undefined ? "–" : JSON.stringify(option.default);
    return `${"".padEnd(width + 3)}${`${name} = ${value}`.padEnd(26)} ${option.describe}`;
  });
  return entry.source === "" ? [head] : [head, source, ...options];
}

/** Prints the catalogues. */
export async function runList({ words, printer }: Call): Promise<Answer> {
  const all = catalogue();
  const [kind] = words;
  if (kind !== undefined && !Object.hasOwn(all, kind)) {
    const near = suggest(kind, Object.keys(all));
    throw new ConfigError(
      `list: ${quoted(kind)} is none of ${Object.keys(all).join(", ")}`,
      near === undefined ? undefined : `did you mean ${near}?`,
    );
  }
  const chosen = kind === undefined ? omit(all, "settings") : { [kind]: all[kind] };
  for (const [name, entries] of Object.entries(chosen)) {
    printer.say(name);
    const width = Math.max(13, ...entries.map((entry) => entry.name.length));
    for (const entry of entries) {
      const text = lines(entry, width);
      // options only where one kind was asked for: the whole list stays readable
      for (const line of kind === undefined ? text.slice(0, 1) : text) printer.say(line);
    }
    printer.say();
  }
  if (kind === undefined)
    printer.say("contrapose list <kind> shows sources and options, list settings all of a config.");
  return kind === "settings" ? { settings: listSettings(), schema: configSchema() } : chosen;
}
