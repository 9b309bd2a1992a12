import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { numpy as np } from "@jax-js/jax";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";

import { ConfigError } from "../core/errors.ts";
import { renderSamples } from "../data/index.ts";
import { defineEncoder, layers, sequence } from "../encoders/index.ts";
import { loadEncoder } from "../inference/index.ts";
import { defineLoss, infoNce } from "../losses/index.ts";
import { addToCatalogues, createFramework } from "../frameworks/index.ts";
import { defineOptimiser } from "../optim/index.ts";
import { defineSampler, samplers } from "../sampling/index.ts";
import { examineRun } from "../train/health/doctor.ts";
import { loadPlugins } from "./plugins.ts";
import { runConfig } from "../train/run/runConfig.ts";
import { resume, train } from "../train/train.ts";

const about = { summary: "A part of this test.", source: "this test, 2026" };
const half = defineLoss({
  name: "half",
  ...about,
  options: z.strictObject({ factor: z.number().default(0.5).describe("times the loss") }),
  perAnchor: (similarity, pairs, { factor }) => infoNce(similarity, pairs).mul(factor),
});
const asIs = defineSampler({
  name: "asIs",
  ...about,
  reasons: {},
  options: z.strictObject({}),
  apply: (_scene, pairs) => pairs,
});
const flat = defineEncoder({
  name: "flat",
  ...about,
  options: z.strictObject({ width: z.int().default(4).describe("channels") }),
  build: ({ width }) => ({
    layer: sequence([layers.conv("conv", 3, width, { kernel: 3, stride: 2 }), layers.averagePool]),
    dimension: width,
  }),
});
const signs = defineOptimiser({
  name: "signs",
  ...about,
  options: z.strictObject({}),
  slots: () => [],
  step: ({ parameter, gradient, learningRate }) => ({
    parameter: parameter.sub(np.sign(gradient).mul(learningRate)),
    slots: {},
  }),
});

let folder: string;
const settings = (out: string) => ({
  data: join(folder, "drawn", "train"),
  out: join(folder, out),
  epochs: 1,
  imageSize: 8,
  batchSize: 8,
  threads: 1,
  workers: 0,
  tune: "off" as const,
  evaluation: { every: 0 },
});

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "contrapose-own-"));
  await renderSamples(join(folder, "drawn"), { train: 16, test: 0, size: 16 });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The config.json of a run with a name in it changed. */
function renamed(run: string, from: string, to: string): void {
  const path = join(run, "config.json");
  writeFileSync(path, readFileSync(path, "utf8").replaceAll(from, to));
}

test("a run of values of one's own names them, goes on with them, and says what is missing", async () => {
  const chosen = { loss: { name: half, factor: 0.25 }, samplers: [asIs, "groups" as const] };
  const { run, config } = await train({
    ...settings("own"),
    ...chosen,
    encoder: flat,
    optimiser: signs,
    plugins: [],
  });
  expect(config.own).toEqual(["encoder flat", "loss half", "optimiser signs", "sampler asIs"]);
  expect(runConfig(run)).toMatchObject({ loss: { name: "half", factor: 0.25 }, own: config.own });
  const done = await resume(run, { given: { ...chosen, epochs: 2 } });
  expect([done.epochs, done.config.optimiser.name]).toEqual([2, "signs"]);
  await expect(resume(run, { given: { loss: { name: half, factor: 1 } } })).rejects.toThrow(
    "loss.factor is 1, was 0.25",
  );
  renamed(run, "half", "gone"); // as another process sees it, which knows no such loss
  await expect(resume(run)).rejects.toThrow(
    /uses loss gone, made by the one who trained it, which is not given/,
  );
  expect((await examineRun(run)).steps).toBeGreaterThan(0);
  expect((await loadEncoder(run)).network.name).toBe("flat");
});

test("settings that are not understood are refused, all of them, before any work", async () => {
  const odd = { ...settings("odd"), loss: () => 1, epochs: 0, los: 1 };
  await expect(train(odd as never)).rejects.toThrow(
    /^train: loss: expected a name, .* or what defineLoss gives, not a function .*; epochs: .*; los is not an option, did you mean loss\?$/,
  );
  await expect(train({ ...settings("odd"), samplers: [half as never] })).rejects.toThrow(
    /samplers\.0: expected a name, .*, not half, a loss/,
  );
  const sameName = (name: string) => () =>
    addToCatalogues(
      defineLoss({ ...about, name, options: z.strictObject({}), perAnchor: (s) => s.sum(1) }),
    );
  addToCatalogues(half); // it is there already
  expect(sameName("half")).toThrow('"half" names another loss already');
  expect(sameName("infoNce")).toThrow("names another loss already, of the package");
  expect(sameName("a b")).toThrow('the name of a loss is "a b"');
});

test("plugins join the catalogues, or it is said why not", async () => {
  const at = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return [join(folder, name)];
  };
  const example = join(import.meta.dirname, "../../examples/parts.js");
  expect(await loadPlugins([example])).toEqual([example]);
  expect(await loadPlugins([example])).toEqual([example]); // twice is once
  expect(samplers).toHaveProperty("harder");
  const refused = (plugins: string[]) =>
    loadPlugins(plugins).catch((error: unknown) => {
      expect(error).toBeInstanceOf(ConfigError);
      return (error as Error).message;
    });
  expect(await refused(["./gone.js"])).toBe('plugin "./gone.js" does not exist');
  expect(await refused(["no-such-package-here"])).toMatch(/cannot be loaded: Cannot find package/);
  expect(await refused(at("none.js", "export {};"))).toContain("exports nothing");
  expect(await refused(at("odd.js", "export const odd = { name: 'odd' };"))).toMatch(
    /odd\.js": expected what defineLoss, .* not \{"name":"odd"\}$/,
  );
  expect(await refused(at("throws.js", "throw new Error('wrong');"))).toContain("loaded: wrong");
});

test("types know the options of every entry", () => {
  const sizes = { batchSize: 4, imageSize: 4, datasetSize: 16, encoder: "convnet" } as const;
  const build = (config: Parameters<typeof createFramework>[0]) => () => createFramework(config);
  expect(
    build({ ...sizes, loss: { name: half, factor: 1 }, samplers: [asIs, "ring"] }),
  ).not.toThrow();
  // @ts-expect-error an option by another name
  expect(build({ ...sizes, loss: { name: "infoNce", temprature: 0.2 } })).toThrow("temperature?");
  // @ts-expect-error an option by another name, of the usual entry
  expect(build({ ...sizes, loss: { temprature: 0.2 } })).toThrow("temperature?");
  // @ts-expect-error an option of a sampler by another name
  expect(build({ ...sizes, samplers: [{ name: "ring", outre: 0.2 }] })).toThrow("outer?");
  // @ts-expect-error a name that there is not
  expect(build({ ...sizes, loss: "infoNec" })).toThrow("infoNce?");
  // @ts-expect-error a sampler in the place of a loss
  expect(build({ ...sizes, loss: asIs })).toThrow("not asIs, a sampler");
  // @ts-expect-error a setting of a run by another name
  const wrong: Parameters<typeof train>[0] = { data: "x", loss: { name: "infoNce", tau: 1 } };
  expect(wrong.loss).toEqual({ name: "infoNce", tau: 1 });
});
