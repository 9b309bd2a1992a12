import type { numpy as np } from "@jax-js/jax";
import { describe, expect, test } from "vitest";

import { evaluate, float32, int32, numbers, rowsOf } from "../testing/arrays.ts";
import { someBatch, stepper, tinyFramework } from "../../test/tinyFramework.ts";
import { flattenTree, type HostRecord } from "../core/arrays.ts";
import { startJax, trace } from "../engine/trace.ts";
import { ownViewMasks, pairsOfViews } from "./judge/contrast.ts";
import { createFramework } from "./createFramework.ts";

const bare = { metrics: false, averaging: 0 };

describe("simclr", () => {
  test("leaves out an image itself wherever it comes again, and pulls its other views", async () => {
    const pairs = (await evaluate(
      (ids: np.Array) => {
        const own = ownViewMasks({ images: 3, anchorViews: 2, views: 2 });
        return pairsOfViews(own, ids.ref, ids, 3);
      },
      int32([5, 6, 5, 5, 6, 5]),
    )) as HostRecord;
    expect(rowsOf(pairs.positive)[0]).toEqual([0, 0, 0, 1, 0, 0]);
    expect(rowsOf(pairs.negative)[0]).toEqual([0, 1, 0, 0, 1, 0]); // image 5 stands twice in the batch
    expect(rowsOf(pairs.negative)[4]).toEqual([1, 0, 1, 1, 0, 1]);
  });

  test("images of one group are no negatives", async () => {
    const framework = tinyFramework();
    const step = await stepper(framework);
    const loaded = someBatch(framework, 1);
    const apart = (await step(framework.init(), loaded)).metrics.loss;
    loaded.groups.set([0, 1, 0, 3]);
    expect((await step(framework.init(), loaded)).metrics.loss).toBeLessThan(apart);
  });

  test("only the first views ask where anchors is first", async () => {
    const framework = tinyFramework({ framework: { name: "simclr", views: 3, anchors: "first" } });
    const [, result] = [
      framework.init(),
      await (await stepper(framework))(framework.init(), someBatch(framework, 1)),
    ];
    expect(framework.batchSpec.ids.shape).toEqual([12]);
    expect(Number.isFinite(result.metrics.loss)).toBe(true);
  });

  test("its loss is NT-Xent of its own embeddings", async () => {
    const framework = tinyFramework({ loss: { name: "infoNce", temperature: 0.5 } });
    const [state, loaded] = [framework.init(), someBatch(framework, 1)];
    const model = { encoder: state.encoder, head: state.head };
    const { embed } = framework.cached(1);
    const views = float32([8, 3, 4, 4], Array.from(loaded.views));
    const unit = rowsOf(await evaluate(embed as never, model as never, views)).map((row) =>
      row.map((x) => x / Math.hypot(...row)),
    );
    const score = (i: number, j: number) =>
      Math.exp(unit[i].reduce((s, x, k) => s + x * unit[j][k], 0) / 0.5);
    const everyone = [0, 1, 2, 3, 4, 5, 6, 7];
    const each = everyone.map((i) => {
      const total = everyone.reduce((sum, j) => (j === i ? sum : sum + score(i, j)), 0);
      return Math.log(total / score(i, (i + 4) % 8));
    });
    const step = await stepper(framework);
    const { metrics } = await step(state, loaded);
    expect(metrics.loss).toBeCloseTo(each.reduce((a, b) => a + b) / 8, 5);
  });

  test("learns to tell the images of one batch apart", async () => {
    const framework = tinyFramework({ encoder: { name: "resnet", width: 8, blocks: [1, 1] } });
    const step = await stepper(framework, "cpu");
    const loaded = someBatch(framework, 2);
    const half = loaded.views.length / 2;
    loaded.views.copyWithin(half, 0, half); // both views alike
    let { state, metrics } = await step(framework.init(), loaded, 0.1);
    const first = metrics.loss;
    for (let i = 0; i < 20; i++) ({ state, metrics } = await step(state, loaded, 0.1));
    expect(metrics.loss).toBeLessThan(0.6 * first);
    expect(metrics.accuracy).toBe(1);
    expect(metrics.positiveSimilarity).toBeGreaterThan(metrics.negativeSimilarity);
    expect(metrics.featureStd).toBeGreaterThan(0.5);
  });

  test("averages weights when asked", async () => {
    const framework = tinyFramework({ averaging: 0.9 });
    const before = framework.init();
    const { state } = await (await stepper(framework))(before, someBatch(framework, 3));
    const name = "conv1.weight";
    const [old, fresh, mean] = [before.encoder, state.encoder, state.average!.encoder].map(
      ({ parameters }) => parameters[name].data[0],
    );
    expect(fresh).not.toBe(old);
    expect(mean).toBeCloseTo(0.9 * old + 0.1 * fresh, 6);
  });

  test("its state keeps names, shapes and types from step to step", async () => {
    const framework = tinyFramework({ averaging: 0.5, optimiser: { name: "adamw" } });
    const before = framework.init();
    const { state } = await (await stepper(framework))(before, someBatch(framework, 3));
    const outline = (tree: unknown) =>
      flattenTree(tree as never).map(
        ([path, { dtype, shape }]) => `${path} ${dtype} ${shape.join()}`,
      );
    expect(outline(state).sort()).toEqual(outline(before).sort());
  });

  test("a step of ResNet-18 on 64 views is traced in under a second", async () => {
    await startJax();
    const framework = createFramework({
      encoder: "resnet18",
      head: { name: "mlp", bias: false },
      ...bare,
      batchSize: 32,
      imageSize: 32,
      datasetSize: 1000,
    });
    const state = framework.init();
    const times: number[] = [];
    for (let i = 0; i < 3; i++) {
      const begin = performance.now();
      await trace(framework.step, [state, framework.batchSpec]);
      times.push(performance.now() - begin);
    }
    expect(Math.min(...times)).toBeLessThan(1000);
  });

  test("reports every mistake of a config, with a suggestion", () => {
    const wrong = { encoder: { name: "resnett" }, batchSize: 0, imageSize: 32, datasetSize: 10 };
    expect(() => createFramework(wrong as never)).toThrow(
      /resnett.*did you mean resnet.*batchSize/,
    );
    expect(() => createFramework({ batchSize: 64, imageSize: 32, datasetSize: 10 })).toThrow(
      "batchSize is 64, expected at most the 10 images of the dataset",
    );
  });

  test("gives unit embeddings and plain features for images", async () => {
    const framework = tinyFramework();
    const { encoder, head } = framework.init();
    const images = float32([3, 3, 4, 4], Array.from(someBatch(framework, 1).views.slice(0, 144)));
    const features = await evaluate(framework.embed, encoder, images);
    expect(rowsOf(features)[0]).toHaveLength(framework.encoder.dimension);
    const unit = await evaluate(framework.embedHead, { encoder, head }, images);
    rowsOf(unit).forEach((row) => expect(Math.hypot(...row)).toBeCloseTo(1, 5));
    expect(numbers(features).every(Number.isFinite)).toBe(true);
  });
});
