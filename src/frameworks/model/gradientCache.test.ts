import { describe, expect, test } from "vitest";

import { someBatch, stepper, tinyFramework } from "../../../test/tinyFramework.ts";
import { flattenTree } from "../../core/arrays.ts";
import { compile } from "../../engine/index.ts";
import type { Framework, LoadedBatch } from "../framework.ts";
import { cachedExamples, type CachedName, type CachedRunners } from "./runCached.ts";
import { embedCached, finishCached, rowsOf } from "./runCached.ts";
import { keyRows, queryRows } from "./microRows.ts";
import { asHostTree, type HostState } from "./state.ts";

async function cachedStep(
  framework: Framework,
  state: HostState,
  loaded: LoadedBatch,
  { count, device }: { count: number; device: string },
) {
  const programs = framework.cached(count);
  const batch = framework.batch(loaded, { learningRate: 0.5, step: 0, progress: 0.5 });
  const { views, ...beside } = batch;
  const examples = cachedExamples(programs, state, beside, views.shape.slice(1));
  const runners = {} as CachedRunners;
  for (const name of Object.keys(examples) as CachedName[]) {
    runners[name] = await compile(programs[name] as never, examples[name]!, { device });
  }
  const viewsOf = (rows: Int32Array) => rowsOf(views, rows);
  const embedded = await embedCached(runners, programs, state, viewsOf);
  return finishCached(runners, programs, state, { beside, views: viewsOf, embedded });
}

/** Arrays and figures of the whole step and of the same in micro-batches. */
async function expectSame(
  [framework, reference]: [Framework, Framework],
  { count, device }: { count: number; device: string },
) {
  const step = await stepper(reference, device);
  const first = someBatch(framework, 1, 16);
  const before = framework.init().memory
    ? (await step(framework.init(), first)).state
    : framework.init(); // a queue is empty at first
  const loaded = someBatch(framework, 4);
  const whole = await step(before, loaded, 0.5);
  const [state, metrics] = await cachedStep(framework, before, loaded, { count, device });
  const want = new Map(flattenTree(asHostTree(whole.state)));
  const got = flattenTree(asHostTree(state));
  expect(got.map(([path]) => path).sort()).toEqual([...want.keys()].sort());
  for (const [path, { data }] of got) {
    data.forEach((value, i) =>
      expect(Math.abs(Number(value) - Number(want.get(path)!.data[i])), path).toBeLessThan(1e-5),
    );
  }
  for (const [name, value] of Object.entries(whole.metrics)) {
    expect(metrics[name].data[0], name).toBeCloseTo(value, 4);
  }
  const moved = state.encoder.parameters["conv1.weight"].data;
  expect(moved).not.toEqual(before.encoder.parameters["conv1.weight"].data);
}

describe.each(["reference", "cpu"])("gradient caching on %s", (device) => {
  test.each([
    ["norm-free", "none", "none", 4],
    ["group norm", { group: 2 }, { group: 2 }, 2],
    ["batch norm as split-batch norm over the micro-batches", "batch", { splitBatch: 2 }, 2],
  ])("takes the step of the whole batch: %s", async (_name, small, large, count) => {
    const width = device === "cpu" ? 16 : 2; // channels that fill a block
    const withNorm = (normalisation: unknown) =>
      tinyFramework({ encoder: { name: "resnet", width, blocks: [1], normalisation } });
    const [framework, reference] = [withNorm(small), withNorm(large)];
    await expectSame([framework, reference], { count, device });
  });
});

describe("gradient caching of frameworks that remember", () => {
  const batch = { batchSize: 8, datasetSize: 32 };
  // parts of the whole batch that are normalised apart are the micro-batches, or parts of these
  test.each([
    ["moco, parts of micro-batches", { name: "moco", queueSize: 12, batchSplits: 4 }, 2],
    ["moco, symmetric", { name: "moco", queueSize: 12, symmetric: true, batchSplits: 4 }, 4],
    ["looc", { name: "looc", queueSize: 12, batchSplits: 2 }, 2],
  ])("takes the step of the whole batch: %s", async (_name, framework, count) => {
    const encoder = { name: "resnet", width: 16, blocks: [1] };
    const one = tinyFramework({ ...batch, framework, encoder });
    await expectSame([one, one], { count, device: "cpu" });
  });

  test.each([
    ["nnclr", { name: "nnclr", queueSize: 12 }],
    ["instDisc", { name: "instDisc" }],
    ["instDisc by noise", { name: "instDisc", form: "nce", noise: 5 }],
  ])("takes the step of the whole batch without batch statistics: %s", async (_name, framework) => {
    const encoder = { name: "resnet", width: 16, blocks: [1], normalisation: "none" };
    const head = { name: "mlp", dimension: 4, batchNorm: false };
    const one = tinyFramework({ ...batch, framework, encoder, head });
    const nnclr = framework.name === "nnclr"; // its predictor has batch statistics
    await expectSame([one, one], { count: nnclr ? 1 : 4, device: "cpu" });
  });

  test("refuses parts of a batch that would lie in several micro-batches", () => {
    const framework = { name: "moco", queueSize: 12, batchSplits: 2 };
    expect(() => tinyFramework({ ...batch, framework }).cached(4)).toThrow(
      "moco: batchSplits is 2, but a batch is taken in 4 micro-batches, which are normalised apart: expected a multiple of 4",
    );
  });
});

describe("gradient caching", () => {
  test("micro-batch i holds images i, i + count, … of each view", () => {
    const place = { images: 6, count: 3, index: 1 };
    expect([...queryRows({ ...place, views: 2 }).views]).toEqual([1, 4, 7, 10]);
  });

  test("keys lie in other micro-batches than the queries of their images", () => {
    const images = 16;
    const inPart = (index: number) => {
      const place = { images, count: 4, index };
      const keys = keyRows({ ...place, views: [1] }, 4);
      expect([...keys.places].map((n) => n + images)).toEqual([...keys.views]);
      return [...keys.places].map((n) => n % 4).sort();
    };
    for (const index of [0, 1, 2, 3]) expect(inPart(index)).toEqual([0, 1, 2, 3]);
  });

  test("says when the images do not divide", () => {
    expect(() => tinyFramework().cached(3)).toThrow(
      "gradient caching: 4 images do not divide into 3 micro-batches",
    );
  });
});
