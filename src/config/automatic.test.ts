import { expect, test } from "vitest";

import { transformsOf } from "../views/index.ts";
import { closeConfig, epochsFor, openConfig } from "./automatic.ts";

const facts = { images: 10_000, shortSide: 32, labelled: true };

test("what is given is kept, what is not is chosen and named with a reason", () => {
  const { config, choices } = openConfig({ data: "x", batchSize: 64, seed: 7 }, facts);
  expect(config).toMatchObject({ batchSize: 64, seed: 7, imageSize: 32 });
  expect(config.optimiser).toMatchObject({ name: "adamw", weightDecay: 0.05 });
  expect(config.learningRate).toBeCloseTo(0.00141); // 0.002 · √(64 / 128)
  const named = choices.map(({ path }) => path);
  expect(named).toContain("imageSize");
  expect(named).not.toContain("batchSize");
  expect(choices.every(({ reason }) => reason.length > 5)).toBe(true);
});

test("the batch is never larger than a quarter of the images unless asked", () => {
  const few = { ...facts, images: 37 };
  expect(openConfig({ data: "x" }, few).config.batchSize).toBe(8);
  expect(() => openConfig({ data: "x", batchSize: 64 }, few)).toThrow(
    "batchSize is 64, expected at most the 37 images of the dataset",
  );
});

test("the optimiser that is given brings its own learning rate", () => {
  const { config } = openConfig({ data: "x", optimiser: { name: "sgd" } }, facts);
  expect(config).toMatchObject({ batchSize: 128, learningRate: 0.12 }); // 0.24 · 128 / 256
  const vit = { data: "x", encoder: { name: "vitTiny" } };
  expect(openConfig(vit, facts).config.learningRate).toBeCloseTo(0.000707);
});

test("options without a name choose the encoder and the optimiser that have them, and say so", () => {
  const residual = { encoder: { width: 16, blocks: [1, 1] }, optimiser: { momentum: 0.8 } };
  const { config, choices } = openConfig({ data: "x", ...residual }, facts);
  expect(config.encoder).toMatchObject({ name: "resnet", width: 16, blocks: [1, 1] });
  expect(config.optimiser).toMatchObject({ name: "sgd", momentum: 0.8, weightDecay: 5e-4 });
  expect(config.learningRate).toBe(0.12);
  expect(closeConfig(config, 3).config.encoder).toEqual(config.encoder);
  const said = choices.map(({ path, value, reason }) => `${path}: ${value}: ${reason}`);
  expect(said).toContain("encoder: resnet, width 16, blocks 1,1: convnet has no blocks");
  expect(said).toContain("optimiser: sgd: adamw has no momentum");
  const photos = { ...facts, shortSide: 160 };
  const deep = openConfig({ data: "x", encoder: { depth: 3 } }, photos).config;
  expect(deep.encoder).toMatchObject({ name: "convnet", depth: 3, width: 32 });
  const rate = openConfig({ data: "x", learningRate: 0.24 }, facts).choices;
  expect(rate.find(({ path }) => path === "optimiser")?.reason).toContain("learning rate given");
});

test("photos get larger views, with blur", () => {
  const { config } = openConfig({ data: "x" }, { ...facts, shortSide: 160 });
  expect(config.imageSize).toBe(64);
  expect(config.views).toMatchObject({ preset: "photo", size: 64 });
  expect(config.views.blur.probability).toBeGreaterThan(0);
});

test("a preset of the method lies under what is given", () => {
  const method = { method: "instDisc" };
  expect(openConfig({ data: "x", ...method }, facts).config.loss).toMatchObject({
    temperature: 0.07,
  });
  const given = { data: "x", ...method, loss: { temperature: 0.5 } };
  expect(openConfig(given, facts).config.loss).toMatchObject({ temperature: 0.5 });
});

test("LooC turns its views where rotation has a space, and nowhere else", () => {
  const turns = (framework: object) => {
    const { views } = openConfig({ data: "x", method: "looc", framework }, facts).config;
    return Array.from(
      { length: views.count },
      (_, i) => transformsOf(views, i).rotation.rightAngles,
    );
  };
  expect(turns({})).toEqual([1, 1, 1, 1]);
  expect(turns({ augmentations: ["colour"] })).toEqual([0, 0, 0]);
  expect(turns({ augmentations: ["colour", "rotation"] })).toEqual([1, 1, 1, 1]);
});

test("epochs follow from the time given and stay within reason", () => {
  expect(epochsFor(10, 30)).toBe(20);
  expect(epochsFor(1, 3600)).toBe(10);
  expect(epochsFor(2, 50, true)).toBe(2); // a time that was given is kept to
  expect(epochsFor(1, 3600, true)).toBe(1);
  expect(epochsFor(1e6, 0.001)).toBe(1000);
});

test("a warm-up longer than the run is refused", () => {
  const { config } = openConfig({ data: "x", epochs: 3, warmupEpochs: 5 }, facts);
  expect(() => closeConfig(config, 3)).toThrow("warmupEpochs is 5, expected at most the 3 epochs");
  expect(() => openConfig({ data: "x", imageSize: 32, views: { size: 64 } }, facts)).toThrow(
    "imageSize is 32 and views.size is 64",
  );
});

test("an adapter takes larger steps on standardised features where the start hardly tells the images apart", () => {
  const input = { imageSize: 96, mean: [0, 0, 0], std: [1, 1, 1] } as const;
  const description = { ...input, encoder: { name: "convnet" }, dimension: 8, version: "1" };
  const chosen = (viewAgreement: number | undefined, more: object = {}) => {
    const start = { description, hash: "h", viewAgreement };
    return openConfig({ data: "x", from: "y", ...more }, { ...facts, start });
  };
  for (const known of [undefined, 0.64]) {
    const { config, choices } = chosen(known);
    expect(config).toMatchObject({
      learningRate: 1e-3,
      epochs: 60,
      adapter: { standardise: false },
    });
    expect(choices.map(({ path }) => path)).not.toContain("adapter");
  }
  const { config, choices } = chosen(0.17);
  expect(config).toMatchObject({ learningRate: 3e-3, epochs: 20, adapter: { standardise: true } });
  expect(choices.find(({ path }) => path === "adapter")?.reason).toContain("for 17 %");
  const given = chosen(0.17, { adapter: { standardise: false }, learningRate: 1e-4 });
  expect(given.config).toMatchObject({ learningRate: 1e-4, adapter: { standardise: false } });
});
