import { expect, test } from "vitest";

import { configMistakes, setAt } from "./layers.ts";
import { TrainConfig } from "./schema.ts";
import { configSchema, listSettings } from "./settings.ts";

const settings = listSettings();
const within = (path: string) => settings.filter((one) => one.path.startsWith(`${path}.`));

test("every setting says what it is, and no two have one flag", () => {
  expect(settings.filter(({ description }) => description.length < 5)).toEqual([]);
  const flags = settings.flatMap(({ flag }) => flag ?? []);
  expect(flags).toContain("--weight-decay");
  expect(flags).toContain("--views");
  expect(new Set(flags).size).toBe(flags.length);
  expect(settings.map(({ path }) => path)).not.toContain("about");
});

test("every default, and the least and the most of every number, is taken by the schema", () => {
  const odd = ["optimiser.momentum", "views.crop.interval"]; // adamw has none; more than 0
  const numbers = settings.filter(({ schema }) => schema.minimum !== undefined);
  expect(numbers.length).toBeGreaterThan(40);
  const given = settings.flatMap(({ path, default: value, schema }) =>
    [value, schema.minimum, schema.maximum].map((one) => [path, one] as const),
  );
  for (const [path, value] of given) {
    if (value === undefined || odd.includes(path)) continue;
    const tree = setAt({ data: "x" }, path, value);
    const found = configMistakes(tree).filter((line) => line.startsWith(path));
    expect([path, value, found]).toEqual([path, value, []]);
  }
});

test("the schema for editors has the defaults that a config gets, and the entries of every catalogue", () => {
  const { properties } = configSchema() as { properties: Record<string, Json> };
  const parsed = TrainConfig.parse({ data: "x" }) as Record<string, unknown>;
  for (const [name, { default: value }] of Object.entries(properties)) {
    if (value !== undefined) expect(parsed[name], name).toMatchObject(value as object);
  }
  for (const { path, default: value } of within("evaluation")) {
    const [, name] = path.split(".");
    if (value !== undefined) expect(parsed.evaluation).toHaveProperty(name, value);
  }
  const [names, ...entries] = properties.mixer.anyOf as Json[];
  expect(names.enum).toEqual(["mochi", "synco"]);
  expect(entries[0].properties).toHaveProperty("name.const", "mochi");
});
type Json = Record<string, unknown>;

test("a part lists what may be chosen, with its options", () => {
  const optimiser = settings.find(({ path }) => path === "optimiser")!;
  expect(optimiser.schema.enum).toEqual(["sgd", "lars", "adamw"]);
  const [sgd] = optimiser.entries!;
  expect(sgd.options.find(({ path }) => path === "optimiser.momentum")).toMatchObject({
    default: 0.9,
    schema: { type: "number", minimum: 0 },
  });
});
