import { describe, expect, test } from "vitest";

import { leavesOf } from "../src/engine/program.ts";
import type { HostTree } from "../src/core/arrays.ts";
import { worstDifference } from "../src/engine/testing.ts";
import { losses } from "../src/losses/index.ts";
import type { Named } from "../src/core/catalogue.ts";
import { createFramework } from "../src/frameworks/index.ts";
import { mixers, samplers } from "../src/sampling/index.ts";
import { openConfig } from "../src/config/automatic.ts";
import { methodNames } from "../src/train/index.ts";
import { frameworkOf } from "../src/train/session.ts";
import { openStepper } from "../src/train/stepper.ts";
import { someBatch, stepper, tinyFramework } from "./tinyFramework.ts";

const facts = { images: 32, shortSide: 8, labelled: true };
const small = {
  data: "x",
  encoder: { name: "resnet", width: 2, blocks: [1] },
  batchSize: 4,
  imageSize: 8,
  optimiser: { name: "sgd" }, // AdamW makes whole steps of slopes that are rounding alone
};

/** The framework of a method's preset at a size that the interpreter can run. */
function methodFramework(method: string) {
  const ring = { samplers: [{ name: "ring", outer: 0.75, inner: 0.3 }] };
  const given = { ...small, method, head: { dimension: 4 }, ...(method === "ring" ? ring : {}) };
  const { config } = openConfig(given, facts);
  return frameworkOf(config, facts.images);
}

const labelled = (framework: ReturnType<typeof tinyFramework>, seed: number, first = 0) => {
  const loaded = someBatch(framework, seed, first);
  return { ...loaded, labels: loaded.ids.map((id) => id % 2) };
};

describe("every method", () => {
  test.each(methodNames)("%s takes the same steps on ONNX Runtime as on jax-js", async (method) => {
    const framework = methodFramework(method);
    const [slow, fast] = [await stepper(framework), await stepper(framework, "cpu")];
    let [a, b] = [framework.init(), framework.init()];
    for (let step = 0; step < 2; step++) {
      const loaded = labelled(framework, step, 4 * step);
      const [want, got] = [await slow(a, loaded, 0.02, step), await fast(b, loaded, 0.02, step)];
      expect(Object.keys(got.metrics)).toEqual(Object.keys(want.metrics));
      for (const value of Object.values(got.metrics)) expect(Number.isFinite(value)).toBe(true);
      expect(Math.abs(got.metrics.loss - want.metrics.loss)).toBeLessThan(2e-5);
      [a, b] = [want.state, got.state];
    }
    const [got, want] = [b, a].map((state) => state as unknown as HostTree);
    expect(leavesOf(got).length).toBeGreaterThan(5);
    expect(worstDifference(got, want)).toBeLessThan(4e-4);
  });
});

const homes: Record<string, Named[]> = {
  propagate: [{ name: "instDisc" }],
  sortViews: [
    { name: "simclr", views: 3 },
    { name: "simclr", views: 3, anchors: "first" },
    { name: "moco", views: 3 },
  ],
};
const everywhere: Named[] = [
  { name: "simclr" },
  { name: "simclr", views: 3, anchors: "first" },
  { name: "moco", queueSize: 8 },
  { name: "instDisc" },
  { name: "looc", augmentations: ["colour"] },
  { name: "nnclr" },
];
// the defaults keep a tenth of a few hundred candidates, here there are three to 32
const large: Record<string, object> = { ring: { outer: 0.75, inner: 0.3 } };
const describeFramework = (framework: Named) => JSON.stringify(framework).replace(/["{}]/g, "");

describe("any sampler, mixer, loss and framework that make sense together take a step", () => {
  const cases = Object.keys(samplers).flatMap((name) =>
    (homes[name] ?? everywhere).map((framework, i) => {
      const loss = Object.keys(losses)[i % Object.keys(losses).length];
      return { name, framework, loss, title: `${name}, ${describeFramework(framework)}, ${loss}` };
    }),
  );
  test.each(cases)("$title", async ({ name, framework, loss }) => {
    const tiny = tinyFramework({
      framework,
      loss,
      head: { dimension: 4 },
      datasetSize: 32,
      samplers: [{ name, warmup: 0, ...large[name] }],
    });
    const step = await stepper(tiny, "cpu");
    let state = tiny.init();
    for (const at of [0, 1]) {
      const done = await step(state, labelled(tiny, at, 4 * at), 0.02, at);
      state = done.state;
      for (const [metric, value] of Object.entries(done.metrics)) {
        expect(Number.isFinite(value), metric).toBe(true);
      }
    }
  });

  const mixed = Object.keys(mixers).flatMap((mixer) =>
    everywhere
      .filter((framework) => !["nnclr"].includes(framework.name))
      .map((framework) => ({
        mixer,
        framework,
        title: `${mixer}, ${describeFramework(framework)}`,
      })),
  );
  test.each(mixed)("$title", async ({ mixer, framework }) => {
    const tiny = tinyFramework({
      framework,
      head: { dimension: 4 },
      datasetSize: 32,
      samplers: ["falseNegatives", { name: "ring", ...large.ring }],
      mixer: { name: mixer, warmup: 0 },
    });
    const { metrics } = await (await stepper(tiny, "cpu"))(tiny.init(), labelled(tiny, 1), 0.02);
    expect(Number.isFinite(metrics.loss)).toBe(true);
  });
});

describe("one image a step", () => {
  const keeping = everywhere.filter(({ name }) => name !== "simclr" && name !== "nnclr");
  const forms = [...keeping, { name: "instDisc", form: "nce", noise: 5 }];
  test.each(forms.map((framework) => ({ framework, title: describeFramework(framework) })))(
    "is enough where negatives are kept: $title",
    async ({ framework }) => {
      const tiny = tinyFramework({ framework, batchSize: 1, datasetSize: 8 });
      const step = await stepper(tiny);
      let state = tiny.init();
      for (const at of [0, 1, 2]) {
        const done = await step(state, labelled(tiny, at, at), 0.02, at);
        state = done.state;
        for (const [metric, value] of Object.entries(done.metrics)) {
          expect(Number.isFinite(value), metric).toBe(true);
        }
      }
      const all = leavesOf(state);
      expect(all.every(({ data }) => Array.from(data).every(Number.isFinite))).toBe(true);
    },
  );

  test("is refused where the other images of the batch are the negatives", () => {
    for (const framework of ["simclr", "nnclr"]) {
      expect(() => tinyFramework({ framework, batchSize: 1 })).toThrow(
        `${framework}: batchSize is 1, expected at least 2: the negatives are the other images of the batch`,
      );
    }
  });
});

describe("the oracle among the views of an image finds those that show another one", () => {
  const cases = homes.sortViews.map((framework) => [describeFramework(framework), framework]);
  test.each(cases as [string, Named][])("%s", async (_, framework) => {
    const tiny = tinyFramework({
      framework,
      head: { dimension: 4 },
      datasetSize: 32,
      samplers: [{ name: "sortViews", warmup: 0, choose: "oracle", rankFall: 1 }],
    });
    const ids = Int32Array.from({ length: 12 }, (_, row) => row % 4);
    ids[2 * 4 + 1] = 30; // third view of the second image
    const loaded = { ...someBatch(tiny, 1), ids };
    const step = await stepper(tiny);
    const { state } = await step(tiny.init(), loaded); // fills a queue
    // one of eight own views, or three of 24: it keeps one view itself where it asks too
    expect((await step(state, loaded)).metrics.demotedShare).toBeCloseTo(1 / 8, 6);
  });
});

describe("crops reach the sampler that compares them", () => {
  const withOverlap = (framework: Named) =>
    tinyFramework({
      framework,
      head: { dimension: 4 },
      datasetSize: 32,
      samplers: [{ name: "sortViews", warmup: 0, overlap: 1, budget: 0 }],
    });
  // crops of neighbouring views share a third, those of the first and the last nothing
  const cases = homes.sortViews.map(
    (framework, i) => [describeFramework(framework), framework, [2 / 9, 1 / 6, 1 / 6][i]] as const,
  );
  test.each(cases)("%s", async (_, framework, overlap) => {
    const tiny = withOverlap(framework);
    const step = await stepper(tiny);
    const { state } = await step(tiny.init(), someBatch(tiny, 1)); // fills a queue
    const { metrics } = await step(state, someBatch(tiny, 2));
    expect(metrics.keptOverlap).toBeCloseTo(overlap, 6);
    expect(metrics.demotedOverlap).toBe(0);
  });

  test("and the one that sees micro-batches; batches without them are refused", async () => {
    const tiny = withOverlap(homes.sortViews[1]);
    const sizes = { batchSize: 4, microBatch: 2 };
    const target = { device: "reference", threads: 1 };
    const steps = await openStepper(tiny, tiny.init(), sizes, target);
    const at = { learningRate: 0.02, step: 0, progress: 0.5 };
    const { figures } = await steps.step(tiny.init(), someBatch(tiny, 1), at);
    await steps.dispose();
    expect(figures.keptOverlap).toBeCloseTo(1 / 6, 6);
    const { views, ids, groups } = someBatch(tiny, 1);
    expect(() => tiny.batch({ views, ids, groups }, at)).toThrow(/crops are missing/);
  });
});

describe("what contradicts itself is refused with the reason", () => {
  const build = (config: object) => () =>
    createFramework({ batchSize: 4, imageSize: 8, datasetSize: 32, ...config });

  test("a sampler whose framework lacks what it looks at", () => {
    expect(build({ samplers: ["propagate"] })).toThrow(
      /propagate needs a bank, .* simclr has none/,
    );
    expect(build({ samplers: ["sortViews"] })).toThrow(/sortViews needs three or more views/);
  });

  test("terms that the loss cannot honour", () => {
    const framework = { name: "simclr", views: 3 };
    const samplers = [{ name: "sortViews", mode: "ranked" }];
    expect(build({ framework, samplers, loss: "debiased" })).toThrow(/debiased has none/);
    expect(build({ framework, samplers: ["sortViews"], loss: "debiased" })).not.toThrow();
  });

  test("options of a sampler that do not go together", () => {
    const framework = { name: "simclr", views: 3 };
    const samplers = [{ name: "sortViews", mode: "negative", budget: 0.2 }];
    expect(build({ framework, samplers })).toThrow(/budget is 0.2, expected at most 0.05/);
  });

  test("a mixer with nothing to mix, samplers where noise is drawn, unknown names", () => {
    expect(build({ framework: "nnclr", mixer: "mochi" })).toThrow(/no candidates to mix/);
    expect(build({ framework: { name: "instDisc", form: "nce" }, samplers: ["ring"] })).toThrow(
      /draws its negatives itself/,
    );
    expect(build({ samplers: ["rng"] })).toThrow(/"rng" is none of .*, did you mean ring\?/);
    expect(build({ samplers: [{ outer: 1 }] })).toThrow(/expected a name/);
  });
});
