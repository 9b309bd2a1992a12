import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { renderSamples } from "../src/data/index.ts";
import { loadPlugins, train, type TrainSettings } from "../src/train/index.ts";
import { scratch } from "./cli.ts";
import { someBatch, stepper, tinyFramework } from "./tinyFramework.ts";

const folder = scratch();
beforeAll(async () => {
  await renderSamples(folder.at("drawn"), { train: 32, test: 0, size: 16 });
  await loadPlugins([join(import.meta.dirname, "../examples/moco.js")]);
});
afterAll(() => folder.remove());

test("the example of MoCo takes the steps of moco, samplers and mixer included", async () => {
  const more = {
    samplers: ["falseNegatives", { name: "ring", outer: 0.75, inner: 0.3 }],
    mixer: { name: "mochi", warmup: 0 },
  };
  const [theirs, ours] = [
    { name: "moco", queueSize: 8, batchSplits: 1 },
    { name: "keyQueue", size: 8 },
  ].map((framework) => tinyFramework({ framework, ...more }));
  const [want, got] = [await stepper(theirs, "cpu"), await stepper(ours, "cpu")];
  let [a, b] = [theirs.init(), ours.init()];
  for (const at of [0, 1, 2]) {
    const loaded = someBatch(theirs, at, 4 * at);
    const [first, second] = [await want(a, loaded, 0.05, at), await got(b, loaded, 0.05, at)];
    expect(second.metrics).toEqual(first.metrics);
    expect(first.metrics.loss > 0).toBe(at > 0);
    [a, b] = [first.state, second.state];
  }
});

test("the example of MoCo trains", async () => {
  const settings = {
    data: folder.at("drawn", "train"),
    out: folder.at("run"),
    epochs: 3,
    batchSize: 8,
    imageSize: 8,
    threads: 1,
    workers: 0,
    tune: "off",
    evaluation: { every: 0 },
    framework: { name: "keyQueue", size: 16 },
    encoder: { name: "convnet", width: 4 },
  };
  const { loss, chanceLoss, config } = await train(settings as TrainSettings);
  expect(config.own).toEqual(["framework keyQueue"]);
  expect(chanceLoss).toBeCloseTo(Math.log(17), 6);
  expect(loss).toBeLessThan(chanceLoss);
});
