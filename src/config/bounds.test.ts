import { expect, test } from "vitest";
import { z } from "zod";

import { encoders, heads } from "../encoders/index.ts";
import { losses } from "../losses/index.ts";
import { frameworks } from "../frameworks/index.ts";
import { optimisers } from "../optim/index.ts";
import { mixers, samplers } from "../sampling/index.ts";
import { configMistakes } from "./layers.ts";
import { TrainConfig } from "./schema.ts";

type Leaf = { path: string; whole: boolean; bounds: (number | undefined)[] };
type Json = { [key: string]: unknown };

const isTree = (value: unknown): value is Json => typeof value === "object" && value !== null;

/** All numbers in a JSON Schema, with their bounds. */
function numbersIn(schema: unknown, path: string): Leaf[] {
  if (!isTree(schema)) return [];
  const below = Object.entries(schema).flatMap(([key, value]) => {
    const inner = key === "properties" || key === "anyOf" || key === "prefixItems";
    if (inner && isTree(value)) {
      return Object.entries(value).flatMap(([name, one]) => numbersIn(one, `${path}.${name}`));
    }
    return key === "items" ? numbersIn(value, path) : [];
  });
  if (schema.type !== "number" && schema.type !== "integer") return below;
  const [least, most] = [
    schema.minimum ?? schema.exclusiveMinimum,
    schema.maximum ?? schema.exclusiveMaximum,
  ];
  const bounds = [least, most].map((bound) => (typeof bound === "number" ? bound : undefined));
  return [{ path, whole: schema.type === "integer", bounds }];
}

const catalogues = { encoders, heads, losses, frameworks, samplers, mixers, optimisers };
const schemas: [string, z.ZodType][] = [
  ["train", TrainConfig],
  ...Object.entries(catalogues).flatMap(([kind, entries]) =>
    Object.entries(entries).map(([name, { options }]): [string, z.ZodType] => [
      `${kind}.${name}`,
      options,
    ]),
  ),
];
const leaves = schemas.flatMap(([name, schema]) =>
  numbersIn(z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }), name),
);

test("every number of a config has a least and a most that can be meant", () => {
  expect(leaves.length).toBeGreaterThan(190);
  const open = leaves.filter(({ bounds: [least, most] }) => {
    const within = least !== undefined && most !== undefined && most <= 2 ** 32;
    return !within || least < -1e4;
  });
  expect(open.map(({ path }) => path)).toEqual([]);
});

const absurd = [NaN, Infinity, -Infinity, -1e5, 1e38, 2 ** 53, "abc", null];
const settings: [string, (value: unknown) => object][] = [
  ["learningRate", (value) => ({ learningRate: value })],
  ["minutes", (value) => ({ minutes: value })],
  ["epochs", (value) => ({ epochs: value })],
  ["batchSize", (value) => ({ batchSize: value })],
  ["imageSize", (value) => ({ imageSize: value })],
  ["optimiser.momentum", (value) => ({ optimiser: { name: "sgd", momentum: value } })],
  ["loss.beta", (value) => ({ loss: { name: "hardNegative", beta: value } })],
  ["framework.queueSize", (value) => ({ framework: { name: "moco", queueSize: value } })],
];

test.each(settings)("what %s cannot be is said in one sentence", (path, tree) => {
  for (const value of absurd) {
    const found = configMistakes({ data: "photos", ...tree(value) });
    expect([value, found.length]).toEqual([value, 1]);
    expect(found[0]).toContain(`${path}: `);
    if (typeof value === "number") expect(found[0]).toContain(`(is ${value})`);
  }
});

test.each([
  ["learningRate", 1e-38],
  ["minutes", 1e-9],
  ["epochs", 1e12],
  ["batchSize", 1e9],
  ["imageSize", 5000],
])("%s %d is refused", (name, value) => {
  expect(configMistakes({ data: "photos", [name]: value })).toEqual([
    expect.stringMatching(new RegExp(`^${name}: Too (small|big): .*\\(is ${value}\\)$`)),
  ]);
});
