import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

import { renderSamples } from "../src/data/index.ts";
import { gatherValues, leading, obeying } from "../src/ranks/index.ts";
import { ranksHere } from "../src/ranks/testing.ts";
import {
  followTraining,
  recordedSteps,
  resume,
  timeFields,
  train,
  type TrainOptions,
  type TrainResult,
  type TrainSettings,
} from "../src/train/index.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });
let folder = "";
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "contrapose-ranks-"));
  await renderSamples(join(folder, "drawn"), { train: 22, test: 0, size: 16 });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** 22 images in batches of 8: six of them wait for another epoch. */
const settings = (out: string, more: object = {}): TrainSettings => ({
  data: join(folder, "drawn", "train"),
  out: join(folder, out),
  seed: 3,
  encoder: { name: "resnet", width: 16, blocks: [1] },
  batchSize: 8,
  imageSize: 16,
  threads: 1,
  workers: 0,
  tune: "off",
  epochs: 6,
  evaluation: { every: 3 },
  record: { steps: 2 },
  ...more,
});

/** Does something on rank 0 of some, while the others follow. */
async function over<R>(size: number, work: (options: TrainOptions) => Promise<R>): Promise<R> {
  const [first, ...others] = ranksHere(size);
  const leader = leading(first);
  const codes = Promise.all(others.map((ranks) => followTraining(ranks)));
  try {
    return await work({ leader });
  } finally {
    await leader.dismiss(0);
    expect(await codes).toEqual(others.map(() => 0));
  }
}

const bytesOf = (run: string, file: string) =>
  readFileSync(join(run, "checkpoints", "last", `${file}.safetensors`));

/** Lines of metrics.jsonl without what the machine decides. */
const figuresOf = (run: string) =>
  readFileSync(join(run, "metrics.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => {
      const record = JSON.parse(line) as Record<string, unknown>;
      for (const name of timeFields) delete record[name];
      return record;
    });

/** Expects that two runs are one: weights, state, all figures, recorded pairs. */
async function expectSame({ run }: TrainResult, { run: other }: TrainResult) {
  expect(bytesOf(other, "weights").equals(bytesOf(run, "weights"))).toBe(true);
  expect(bytesOf(other, "state").equals(bytesOf(run, "state"))).toBe(true);
  expect(figuresOf(other)).toEqual(figuresOf(run));
  const pairs = async (path: string) => {
    const steps = recordedSteps(join(path, "pairs"));
    return steps.map((step) =>
      readFileSync(
        join(path, "pairs", `step-${String(step).padStart(7, "0")}`, "pairs.parquet"),
      ).toString("base64"),
    );
  };
  expect(await pairs(other)).toEqual(await pairs(run));
}

describe("ranks that share each batch leave what one process leaves, bit for bit", () => {
  const cases: [string, number, object][] = [
    [
      "simclr, 2 ranks, 50 steps",
      2,
      { microBatch: 4, epochs: 25, evaluation: { every: 0 }, record: { steps: 0 } },
    ],
    ["simclr, 4 micro-batches on 3 ranks", 3, { microBatch: 2, averaging: 0.9 }],
    ["supports of false negatives, 4 ranks", 4, { microBatch: 2, method: "fnc" }],
    ["moco with mixtures, 2 ranks", 2, { microBatch: 4, method: "mochi", averaging: 0.9 }],
    ["looc, 2 ranks", 2, { microBatch: 4, method: "looc" }],
    ["nnclr, 4 ranks", 4, { microBatch: 2, method: "nnclr" }],
    ["a bank and its neighbours, 2 ranks of 4 micro-batches", 2, { microBatch: 2, method: "invp" }],
    [
      "contrastive crops and views of other images, 2 ranks",
      2,
      { microBatch: 4, views: { falsePositives: 0.2, crop: { kind: "contrastive", warmup: 0.2 } } },
    ],
  ];
  test.each(cases)("%s", async (name, size, more) => {
    const place = name.replaceAll(/\W+/g, "-");
    const one = await train(settings(`one-${place}`, more));
    const all = await over(size, (options) => train(settings(`all-${place}`, more), options));
    await expectSame(one, all);
  });
});

describe("ranks of a training", () => {
  const more = { epochs: 4, record: { steps: 0 } };

  test("go on with a run of another number of them, bit for bit", async () => {
    const whole = await train(settings("whole", { ...more, microBatch: 2 }));
    const stop = new AbortController();
    const stopped = await over(2, (options) =>
      train(settings("parts", { ...more, microBatch: 2 }), {
        ...options,
        signal: stop.signal,
        listener: (event) => event.kind === "step" && event.record.step === 3 && stop.abort(),
      }),
    );
    expect(stopped.finished).toBe(false);
    const resumed = await over(3, (options) => resume(stopped.run, options));
    await expectSame(whole, resumed);
  });

  test("take a part of the batch each where none is said, and refuse what has no equal parts", async () => {
    const { config, choices } = await over(4, (options) => train(settings("four", more), options));
    expect(config.microBatch).toBe(2);
    expect(choices.find(({ path }) => path === "microBatch")?.reason).toBe(
      "a part of the batch for each of 4 ranks; batch normalisation sees one part at a time",
    );
    await expect(over(3, (options) => train(settings("three", more), options))).rejects.toThrow(
      "batchSize is 8, expected a multiple of the 3 ranks that share each batch",
    );
  });

  test("refuse a run that takes its batches whole", async () => {
    const { run } = await train(settings("alone", { ...more, epochs: 1 }));
    await expect(over(2, (options) => resume(run, options))).rejects.toThrow(
      "the run takes each batch of 8 whole, which is work for one process, there are 2 ranks",
    );
  });

  test("that see other images are told apart", async () => {
    const [first, other] = ranksHere(2);
    const leader = leading(first);
    const following = obeying(other, async () => {
      await gatherValues(other, { fingerprint: "0123456789", images: 7 });
    });
    const training = train(settings("other", more), {
      leader: { ...leader, dismiss: async () => undefined },
    });
    await expect(training).rejects.toThrow(
      /^ranks see different images, groups or labels under the same path: rank 0 has 22 images \(\w{8}\), rank 1 has 7 images \(01234567\)$/,
    );
    await leader.dismiss(0);
    expect(await following).toBe(0);
  });
});

test("frozen features over ranks are those of one process", async () => {
  const { run } = await train(settings("start", { epochs: 1, evaluation: { every: 0 } }));
  const behind = { from: run, keptViews: 4, microBatch: 4, epochs: 2, encoder: undefined };
  const frozen = (out: string) => {
    const tree = settings(out, behind);
    delete tree.encoder;
    return tree;
  };
  const one = await train(frozen("frozen-one"));
  const all = await over(2, (options) => train(frozen("frozen-all"), options));
  await expectSame(one, all);
});
