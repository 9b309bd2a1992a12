import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { renderSamples } from "../data/index.ts";
import { loadEncoder } from "../inference/index.ts";
import type { TrainSettings } from "../config/schema.ts";
import { resume, train } from "./train.ts";

let folder: string;
let start: string;
const images = () => join(folder, "drawn", "train");
const quick = { batchSize: 12, threads: 1, workers: 0, tune: "off" } as const;
const variablesOf = async (path: string) => (await loadEncoder(path)).variables;
const last = (run: string) => join(run, "checkpoints", "last");

/** A run that begins with a convnet of four blocks and trains a part of it: 4 steps an epoch. */
const begun = (out: string, more: object = {}): TrainSettings => ({
  data: images(),
  out: join(folder, out),
  from: start,
  epochs: 2,
  freeze: "all-but:2",
  learningRate: 0.01,
  evaluation: { every: 0 },
  ...quick,
  ...more,
});

/** Which arrays of the start a run changed. */
async function changedIn(run: string) {
  const [before, after] = [await variablesOf(start), await variablesOf(last(run))];
  const both = (v: typeof before) => ({ ...v.parameters, ...v.statistics });
  const [a, b] = [both(before), both(after)];
  expect(Object.keys(b)).toEqual(Object.keys(a));
  const same = (name: string) => Buffer.compare(bytes(a[name]), bytes(b[name])) === 0;
  return Object.keys(a).filter((name) => !same(name));
}
const bytes = ({ data }: { data: ArrayBufferView }) =>
  Buffer.from(data.buffer, data.byteOffset, data.byteLength);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "contrapose-partly-"));
  await renderSamples(join(folder, "drawn"), { train: 48, test: 0, size: 24 });
  const encoder = { name: "convnet", width: 4 } as const;
  const { run } = await train({
    data: images(),
    out: join(folder, "start"),
    epochs: 1,
    encoder,
    imageSize: 16,
    ...quick,
    evaluation: { every: 0 },
  });
  start = run;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const lastTwo = ["block3", "block4"].flatMap((block) =>
  ["conv.weight", "bn.weight", "bn.bias"].map((name) => `${block}.${name}`),
);

test.each([
  ["simclr", {}],
  ["averaged", { averaging: 0.9 }],
  ["moco", { method: "moco" }],
  ["a memory bank", { method: "instDisc" }],
  ["micro-batches", { microBatch: 4, averaging: 0.9 }], // thirds are no binary fractions
])("what is frozen keeps every bit: %s", async (name, more) => {
  const { run, config } = await train(begun(name, more));
  expect((await changedIn(run)).sort()).toEqual([...lastTwo].sort());
  expect(config).toMatchObject({ backboneLrFactor: 0.1, headFirst: 0.1, layerDecay: 1 });
});

test("globs freeze by name, and norms that are trained may follow their batches", async () => {
  const freeze = "block1,block2,block3.bn";
  let said: number[] = [];
  const { run } = await train(begun("globs", { freeze, batchNorm: "trained" }), {
    listener: (event) => {
      if (event.kind === "start") said = [event.parameters, event.parameters + event.frozen];
    },
  });
  const sizes = Object.entries((await variablesOf(start)).parameters).map(
    ([name, { data }]): [string, number] => [name, data.length],
  );
  const sum = (some: typeof sizes) => some.reduce((total, [, size]) => total + size, 0);
  const trained = sizes.filter(([name]) => /^block(4|3\.conv)/.test(name));
  expect(said).toEqual([sum(trained), sum(sizes)]);
  const norm = ["weight", "bias", "running_mean", "running_var"].map((part) => `block4.bn.${part}`);
  expect((await changedIn(run)).sort()).toEqual(
    ["block3.conv.weight", "block4.conv.weight", ...norm].sort(),
  );
});

test("the head alone is trained first, and a run goes on bit for bit across that", async () => {
  const halves = { headFirst: 0.5, layerDecay: 0.5 };
  const whole = await train(begun("whole", halves));
  const stop = new AbortController();
  const cut = await train(begun("cut", halves), {
    signal: stop.signal,
    listener: (event) => {
      if (event.kind === "step" && event.record.step === 2) stop.abort();
    },
  });
  expect(cut.finished).toBe(false);
  expect(await changedIn(cut.run)).toEqual([]); // 3 of the 4 steps of the head
  const { run } = await resume(cut.run);
  expect(await variablesOf(last(run))).toEqual(await variablesOf(last(whole.run)));
  expect((await changedIn(run)).sort()).toEqual([...lastTwo].sort());
});

test("what does not fit is refused", async () => {
  const wrong = (more: object) => train(begun("wrong", more));
  await expect(wrong({ freeze: "blok1" })).rejects.toThrow('is named "blok1"');
  await expect(wrong({ freeze: "all-but:4" })).rejects.toThrow("from 1 to 3");
  await expect(wrong({ freeze: "body", headFirst: 0.2 })).rejects.toThrow("a body that is trained");
  await expect(wrong({ keptViews: 8 })).rejects.toThrow("frozen body");
  await expect(wrong({ from: undefined, freeze: undefined, layerDecay: 0.5 })).rejects.toThrow(
    "no pretrained encoder",
  );
  await expect(wrong({ batchNorm: "trained", method: "moco" })).rejects.toThrow("batchNorm");
});
