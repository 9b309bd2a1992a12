import { z } from "zod";

import { entryOf, partSchemas } from "../core/catalogue.ts";
import { firstOf, layersOf, notesOf, type SettingNotes } from "../core/settings.ts";
import { omit } from "./layers.ts";
import { TrainConfig } from "./schema.ts";

/** JSON Schema of one value. */
export type JsonSchema = { readonly [keyword: string]: unknown };

/** A setting of a run. */
export type Setting = {
  /** As `--set` takes it: `views.jitter.hue`. */
  readonly path: string;
  readonly description: string;
  /** Its flag, as `--batch-size`, and the heading of help under which it stands; undefined where it has none. */
  readonly flag: string | undefined;
  readonly group: SettingNotes["group"];
  /** What its value is or counts: `px`, `images`, `file`. */
  readonly unit: string | undefined;
  /** What holds where it is left out; undefined where `usual` says it, or nothing does. */
  readonly default: unknown;
  readonly usual: string | undefined;
  /** Whether it may be another where a run goes on. */
  readonly resume: SettingNotes["resume"];
  /** Type, choices and bounds, as JSON Schema: `type`, `enum`, `minimum`, `maximum`. */
  readonly schema: JsonSchema;
  /** Of one part, or several in order: what may be chosen, with its options as settings of paths behind its own. */
  readonly entries?: readonly Entry[];
};

/** What may be chosen for a part. */
export type Entry = {
  readonly name: string;
  readonly summary: string;
  readonly source: string;
  readonly options: readonly Setting[];
};

/** JSON Schema of what a schema takes; a part is one of the entries of its catalogue. */
function jsonOf(schema: z.ZodType): JsonSchema {
  const json = z.toJSONSchema(schema, {
    io: "input",
    unrepresentable: "any",
    override({ zodSchema, jsonSchema }) {
      const part = partSchemas.get(zodSchema);
      if (part !== undefined) Object.assign(jsonSchema, choiceOf(Object.values(part.catalogue)));
    },
  });
  return omit(json, "$schema");
}

type Described = { name: string; summary?: string; source?: string; options: z.ZodObject };

/** The choice of an entry, by its name alone or with options beside it. */
const choiceOf = (entries: readonly Described[]): JsonSchema => ({
  anyOf: [
    { type: "string", enum: entries.map(({ name }) => name) },
    ...entries.map(({ name, summary, options }) => ({
      ...jsonOf(z.strictObject({ name: z.literal(name), ...options.shape })),
      description: summary,
    })),
  ],
});

/** JSON Schema of a config file, for editors. */
export const configSchema = (): unknown => ({
  $schema: "https://json-schema.org/draft/2020-12/schema",
  ...jsonOf(TrainConfig),
});

const flagOf = (name: string): string =>
  `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

const descriptionOf = (schema: z.ZodType): string =>
  firstOf(schema, (layer) => layer.description) ?? "";

/** The innermost schema of a setting: an object of further ones, a list, a part, or a value. */
const coreOf = (schema: z.ZodType): z.ZodType => layersOf(schema).at(-1)!;

/** The catalogue that a setting names entries of, one or several. */
function catalogueOf(schema: z.ZodType): Part | undefined {
  const core = coreOf(schema);
  return core instanceof z.ZodArray
    ? catalogueOf(core.element as z.ZodType)
    : partSchemas.get(core);
}
type Part = NonNullable<ReturnType<typeof partSchemas.get>>;

function leaf(path: string, schema: z.ZodType, notes: SettingNotes): Setting {
  const { group, unit, usual, resume } = notes;
  const name = path.split(".").at(-1)!;
  const json = jsonOf(schema);
  return {
    path,
    description: descriptionOf(schema),
    flag: group && flagOf(notes.flag ?? name),
    group,
    unit,
    default: usual === undefined ? json.default : undefined,
    usual,
    resume,
    schema: json,
  };
}

/** A part with what may be chosen for it, and those of its options that have flags of their own. */
function partOf(path: string, schema: z.ZodType, part: Part): Setting[] {
  const notes = notesOf(schema);
  const described = Object.values(part.catalogue) as Described[];
  const entries = described.map(({ name, summary = "", source = "", options }) => ({
    name,
    summary,
    source,
    options: settingsIn(options, path),
  }));
  const flagged = Object.entries(notes.options ?? {}).map(([option, own]) => {
    const usual = entryOf(part.catalogue, part.usual ?? "", { [option]: 0 });
    const options = part.catalogue[usual].options.shape as Record<string, z.ZodType>;
    return leaf(`${path}.${option}`, options[option], { ...own, usual: `by ${path}` });
  });
  const names = { type: "string", enum: described.map(({ name }) => name) };
  return [
    {
      ...leaf(path, schema, notes),
      schema: coreOf(schema) instanceof z.ZodArray ? { type: "array", items: names } : names,
      entries,
    },
    ...flagged,
  ];
}

function settingsIn(object: z.ZodObject, under: string): Setting[] {
  return Object.entries(object.shape as Record<string, z.ZodType>).flatMap(([key, schema]) => {
    const path = under === "" ? key : `${under}.${key}`;
    const notes = notesOf(schema);
    if (notes.kept) return [];
    const part = catalogueOf(schema);
    if (part !== undefined) return partOf(path, schema, part);
    const core = coreOf(schema);
    return core instanceof z.ZodObject ? settingsIn(core, path) : [leaf(path, schema, notes)];
  });
}

/** What holds where a setting is left out, in words; "" where nothing does. */
export function usualOf({ usual, default: value }: Setting): string {
  if (usual !== undefined || value === undefined || value === null) return usual ?? "";
  const said = typeof value === "object" ? (value as { name?: unknown }).name : value;
  return typeof said === "string" || typeof said === "number" ? `${said}` : "";
}

/** The innermost schema at a path, as `encoder.blocks`; undefined where there is none. */
export const schemaAt = (path: string): z.ZodType | undefined =>
  path.split(".").reduce<z.ZodType | undefined>((at, key) => {
    const entries = at && Object.values(partSchemas.get(at)?.catalogue ?? {});
    const objects = at instanceof z.ZodObject ? [at] : entries?.map(({ options }) => options);
    const shapes = objects?.map(({ shape }): Record<string, z.ZodType> => shape);
    const found = shapes?.find((shape) => Object.hasOwn(shape, key))?.[key];
    return found && coreOf(found);
  }, TrainConfig);

/** Names of the settings whose notes are such. */
export const settingsWhere = (are: (notes: SettingNotes) => boolean): string[] =>
  Object.entries(TrainConfig.shape as Record<string, z.ZodType>).flatMap(([name, schema]) =>
    are(notesOf(schema)) ? [name] : [],
  );

/** Every setting of a run, with its flag, type, default, unit and description, in the order of help. */
export const listSettings = (): Setting[] => settingsIn(TrainConfig, "");
