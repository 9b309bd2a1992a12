import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";

import type { Hono } from "hono";
import { z } from "zod";

import { configMistakes } from "../config/layers.ts";
import { withPreset } from "../config/automatic.ts";
import { type JsonSchema, listSettings, type Setting as Listed } from "../config/settings.ts";
import { methodNames } from "../config/methods.ts";
import { mistakes } from "../core/options.ts";
import { parseJson } from "../core/json.ts";
import { freshRunPath } from "../train/run/runFolder.ts";
import { messageLimit } from "./guard.ts";
import type { Jobs } from "./jobs.ts";
import type { Watch } from "./overview.ts";
import { idOf } from "./places.ts";
import type { Setting } from "./wire.ts";

const Asked = z.strictObject({ settings: z.record(z.string(), z.unknown()) });

/** Settings that a form does not ask for: the studio says where a run lies, and plugins are code. */
const aside = ["out", "plugins"];

const bounds = ({ minimum, maximum }: JsonSchema) => ({
  ...(typeof minimum === "number" ? { least: minimum } : {}),
  ...(typeof maximum === "number" ? { most: maximum } : {}),
});

/** A setting as a field; none where its value is no single one. */
function fieldOf({ path, description, unit, usual, schema, entries }: Listed): Setting[] {
  const about = { path, describe: description, unit, usual };
  const { type } = schema;
  const choices = (entries?.map(({ name }) => name) ?? schema.enum) as string[] | undefined;
  if (type === "array") return choices === undefined ? [] : [{ ...about, type: "list", choices }];
  if (choices !== undefined) return [{ ...about, type: "choice", choices }];
  if (type === "boolean") return [{ ...about, type: "switch" }];
  if (type === "string") return [{ ...about, type: "text" }];
  const counts = type === "number" || type === "integer";
  return counts ? [{ ...about, type: "number", ...bounds(schema) }] : [];
}

/** The fields of the form that starts a training, from the one schema of a config. */
const formSettings = (): Setting[] =>
  listSettings()
    .filter(({ path }) => !aside.includes(path))
    .flatMap(fieldOf);

/** Where the runs of a studio are made: among those of its first folder. */
function parentOf(watch: Watch): string {
  const { roots, runs } = watch.places();
  const [root] = roots;
  const beside = [...runs.values()].some(({ path }) => resolve(path, "..") === root);
  return beside || basename(root) === "runs" ? root : join(root, "runs");
}

const isMethod = (name: unknown): boolean =>
  (methodNames as readonly unknown[]).includes(name ?? "simclr");

/** What the page asks to start trainings. */
export function addTrainings(app: Hono, watch: Watch, jobs: Jobs): void {
  app.get("/api/settings", (c) => c.json(formSettings()));
  app.post("/api/trainings", messageLimit, async (c) => {
    const body = await c.req.text();
    let asked: unknown;
    try {
      asked = parseJson(body);
    } catch {
      return c.json({ error: "the request is no JSON" }, 400);
    }
    const wrong = mistakes(Asked, asked);
    if (wrong.length > 0) return c.json({ error: wrong.join("; ") }, 400);
    const { settings } = asked as z.output<typeof Asked>;
    const full = Object.fromEntries(
      Object.entries(settings).map(([name, value]) => [
        name,
        ["data", "test", "groups", "labels", "init"].includes(name) && typeof value === "string"
          ? resolve(value)
          : value,
      ]),
    );
    const found = configMistakes(isMethod(full.method) ? withPreset(full) : full);
    const data = typeof full.data === "string" ? full.data : "";
    if (data !== "" && !existsSync(data)) found.push(`data: ${data} does not exist`);
    if (found.length > 0) return c.json({ error: found.join("; "), mistakes: found }, 422);
    const method = typeof full.method === "string" ? full.method : "simclr";
    const out = freshRunPath(data, method, parentOf(watch));
    const job = jobs.start({
      verb: "train",
      words: ["--out", out],
      config: full,
      outlives: true,
      title: `Training ${basename(out)}`,
      about: idOf(out),
    });
    return c.json({ job, run: idOf(out) });
  });
}
