import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { expect, test } from "vitest";

import { configMistakes, overlay, readConfigFile, setAt, spelledOut, valueOf } from "./layers.ts";

test("a later layer wins, and another entry does not inherit the options of the one it replaces", () => {
  const base = { epochs: 9, optimiser: { name: "sgd", momentum: 0.5 }, loss: { temperature: 0.1 } };
  const over = { optimiser: { name: "adamw" }, loss: { temperature: 0.3 } };
  expect(overlay(base, over)).toEqual({
    epochs: 9,
    optimiser: { name: "adamw" },
    loss: { temperature: 0.3 },
  });
  expect(overlay(base, { optimiser: { nesterov: true } }).optimiser).toEqual({
    name: "sgd",
    momentum: 0.5,
    nesterov: true,
  });
});

test("a file may begin with the mark that some editors write", async () => {
  const path = join(mkdtempSync(join(tmpdir(), "contrapose-layers-")), "x.json");
  writeFileSync(path, '\ufeff{"epochs": 3}');
  expect(await readConfigFile(path)).toEqual({ epochs: 3 });
  rmSync(dirname(path), { recursive: true });
});

test("flags and --set reach into entries that were given by a bare name", () => {
  const tree = setAt({ encoder: "resnet" }, "encoder.width", 8);
  expect(tree).toEqual({ encoder: { name: "resnet", width: 8 } });
  expect(setAt({ encoder: { width: 8 } }, "encoder", "convnet")).toEqual({
    encoder: { name: "convnet", width: 8 },
  });
  expect(setAt({}, "views.jitter.hue", 0.2)).toEqual({ views: { jitter: { hue: 0.2 } } });
  expect(spelledOut({ views: "moco", loss: "infoNce" })).toEqual({
    views: { preset: "moco" },
    loss: { name: "infoNce" },
  });
});

test("samplers are a list, reached by place or by name", () => {
  const chain = setAt({}, "samplers", "ring,falseNegatives");
  expect(chain).toEqual({ samplers: [{ name: "ring" }, { name: "falseNegatives" }] });
  expect(setAt(chain, "samplers.0.outer", 0.5).samplers).toEqual([
    { name: "ring", outer: 0.5 },
    { name: "falseNegatives" },
  ]);
  expect(setAt(chain, "samplers.falseNegatives.topK", 5).samplers).toEqual([
    { name: "ring" },
    { name: "falseNegatives", topK: 5 },
  ]);
  expect(setAt({}, "samplers.ring.outer", 0.5).samplers).toEqual([{ name: "ring", outer: 0.5 }]);
  expect(spelledOut({ samplers: "ring" }).samplers).toEqual([{ name: "ring" }]);
});

test("words of the command line are numbers, lists, JSON or themselves", () => {
  expect(["3", "2,2", "1e-3", "[1]", "true", "resnet", "a,b"].map(valueOf)).toEqual([
    3,
    [2, 2],
    0.001,
    [1],
    true,
    "resnet",
    "a,b",
  ]);
});

test("all mistakes of a config are found at once, each with its place", () => {
  const found = configMistakes({
    data: "x",
    epochs: 0,
    encoder: { name: "resnet", widht: 3 },
    views: { jitter: { hue: 3 } },
    learning_rate: 1,
  });
  expect(found).toHaveLength(4);
  expect(found.join("\n")).toMatch(
    /encoder: widht is not an option of resnet, did you mean width\?/,
  );
  expect(found.join("\n")).toMatch(/epochs: .*\(is 0\)/);
  expect(found.join("\n")).toMatch(/views\.jitter\.hue: .*\(is 3\)/);
  expect(found.join("\n")).toMatch(/learning_rate is not an option, did you mean learningRate\?/);
});

test("options without a name are checked against the entry that they choose", () => {
  const passing = [
    { encoder: { blocks: [1, 1, 1] }, optimiser: { momentum: 0.9 } },
    { encoder: { depth: 3 }, optimiser: { beta2: 0.95 } },
    { encoder: { width: 8 }, optimiser: { weightDecay: 0 } },
  ];
  for (const tree of passing) expect(configMistakes({ data: "x", ...tree })).toEqual([]);
  const mixed = { encoder: { blocks: [1], depth: 3 }, optimiser: { momentum: 0.9, beta1: 0.9 } };
  expect(configMistakes({ data: "x", ...mixed }).join("\n")).toMatch(
    /encoder: depth is not an option of resnet.*\noptimiser: beta1 is not an option of sgd/,
  );
});

test("a config without a mistake passes, with names or entries", () => {
  expect(
    configMistakes({ data: "x", optimiser: "lars", head: { name: "mlp", layers: 3 } }),
  ).toEqual([]);
});
