import { z } from "zod";

/** What a schema says of a setting beside its type, its default and its description. */
export type SettingNotes = {
  /** Heading of help under which its flag stands; a setting without one has no flag. */
  readonly group?: "Data" | "Method" | "Training" | "Run";
  /** Name of its flag where that is not its own, as `views` for `views.preset`. */
  readonly flag?: string;
  /** What its value is or counts: `px`, `images`, `file`. */
  readonly unit?: string;
  /** What holds where it is left out, if that is not one value. */
  readonly usual?: string;
  /** Options of a part that have flags of their own, with their heading and unit. */
  readonly options?: Readonly<Record<string, Pick<SettingNotes, "group" | "unit">>>;
  /** False where it does not decide what the weights become. */
  readonly decides?: false;
  /** Whether it may be another where a run goes on: "free", or "plan" where it holds from there on. */
  readonly resume?: "free" | "plan";
  /** Written into a run's config.json, and not read. */
  readonly kept?: true;
};

/** Notes of settings, by their schemas. */
export const settingNotes = z.registry<SettingNotes>();

/** A schema and those that it wraps, as a default or an optional, from the outermost in; of a union the last. */
export function layersOf(schema: z.ZodType): z.ZodType[] {
  const inner = (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault
      ? schema.unwrap()
      : schema instanceof z.ZodPipe
        ? schema.in
        : schema instanceof z.ZodUnion
          ? schema.options.at(-1)
          : undefined
  ) as z.ZodType | undefined;
  return [schema, ...(inner === undefined ? [] : layersOf(inner))];
}

/** The first thing that a layer of a schema has, from the outermost in. */
export function firstOf<T>(schema: z.ZodType, get: (layer: z.ZodType) => T | undefined) {
  return layersOf(schema)
    .map(get)
    .find((found) => found !== undefined);
}

/** Notes of a setting; empty where it has none. */
export const notesOf = (schema: z.ZodType): SettingNotes =>
  firstOf(schema, (layer) => settingNotes.get(layer)) ?? {};
