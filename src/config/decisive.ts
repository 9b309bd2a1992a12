import { createHash } from "node:crypto";

import { quoted } from "../core/quote.ts";
import type { ConfigTree } from "./schema.ts";
import { omit } from "./layers.ts";
import { settingsWhere } from "./settings.ts";

const indecisive = settingsWhere(({ decides }) => decides === false);
const planned = settingsWhere(({ resume }) => resume === "plan");

/** The part of a config that decides what the weights become, with the dataset's fingerprint. */
export function decisivePart(config: ConfigTree, dataset: string): ConfigTree {
  return { ...omit(config, ...indecisive), dataset };
}

/** A decisive part without what may change from one step of a run to the next. */
export const withoutPlan = (decisive: ConfigTree): ConfigTree => omit(decisive, ...planned);

/** Leaves of a tree by path. */
function leaves(value: unknown, path = ""): [string, unknown][] {
  if (typeof value !== "object" || value === null) return [[path, value]];
  if (Array.isArray(value) && value.every((item) => typeof item !== "object"))
    return [[path, value]];
  return Object.entries(value).flatMap(([key, child]) =>
    leaves(child, path === "" ? key : `${path}.${key}`),
  );
}

/** Text that is equal for equal trees whatever the order of their keys. */
function canonical(tree: ConfigTree): string {
  const sorted = leaves(tree).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(sorted.filter(([, value]) => value !== undefined));
}

/** A hash that is equal for equal decisive parts. */
export function configHash(decisive: ConfigTree): string {
  return createHash("sha256").update(canonical(decisive)).digest("hex").slice(0, 16);
}

/** What differs between two trees, `batchSize is 64, the other has 128`. */
export function differences(one: ConfigTree, other: ConfigTree): string[] {
  const [a, b] = [new Map(leaves(one)), new Map(leaves(other))];
  const show = (value: unknown) => (value === undefined ? "not set" : quoted(value));
  return [...new Set([...a.keys(), ...b.keys()])]
    .filter((path) => JSON.stringify(a.get(path)) !== JSON.stringify(b.get(path)))
    .map((path) => `${path} is ${show(a.get(path))}, was ${show(b.get(path))}`);
}
