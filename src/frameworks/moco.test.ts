import { describe, expect, test } from "vitest";

import { evaluate, float32, rowsOf } from "../testing/arrays.ts";
import { someBatch, stepper, tinyFramework } from "../../test/tinyFramework.ts";
import type { FrameworkConfig } from "./createFramework.ts";

const moco = (options: object, rest: Partial<FrameworkConfig> = {}) =>
  tinyFramework({ framework: { name: "moco", ...options }, ...rest });

describe("moco", () => {
  test("moves the key encoder's parameters, not its statistics, by 1 − momentum", async () => {
    const framework = moco({ momentum: 0.9, batchSplits: 1 });
    const step = await stepper(framework);
    const one = await step(framework.init(), someBatch(framework, 1), 0.1);
    one.state.encoder.parameters["conv1.weight"].data[0] += 1; // as if a step had moved it
    const old = one.state.key!.encoder.parameters["conv1.weight"].data[0];
    const query = one.state.encoder.parameters["conv1.weight"].data[0];
    const two = await step(one.state, someBatch(framework, 2, 4), 0.1);
    const now = two.state.key!.encoder.parameters["conv1.weight"].data[0];
    expect(now).toBeCloseTo(0.9 * old + 0.1 * query, 6);
  });

  test("its loss is the cross-entropy of the key among the queue it had before the step", async () => {
    const framework = moco({ momentum: 1, batchSplits: 1, queueSize: 8 });
    const step = await stepper(framework);
    const { state } = await step(framework.init(), someBatch(framework, 1, 0), 0);
    const loaded = someBatch(framework, 2, 4);
    const images = (half: number) =>
      float32([4, 3, 4, 4], Array.from(loaded.views.slice(half * 192, (half + 1) * 192)));
    // nothing has moved (rate 0, momentum 1): both encoders still are the first one
    const model = { encoder: state.encoder, head: state.head };
    const probe = tinyFramework().cached(1).embed;
    const unit = async (half: number) =>
      rowsOf(await evaluate(probe as never, model as never, images(half))).map((row) =>
        row.map((x) => x / Math.hypot(...row)),
      );
    const [queries, keys] = [await unit(0), await unit(1)];
    const queue = rowsOf(state.memory!.keys).slice(0, 4); // the other four rows are empty
    const score = (a: number[], b: number[]) =>
      Math.exp(a.reduce((s, x, i) => s + x * b[i], 0) / 0.2);
    const each = queries.map((query, i) => {
      const own = score(query, keys[i]);
      return Math.log((own + queue.reduce((sum, row) => sum + score(query, row), 0)) / own);
    });
    const { metrics, state: after } = await step(state, loaded, 0);
    expect(metrics.loss).toBeCloseTo(each.reduce((a, b) => a + b) / 4, 5);
    expect(Array.from(after.memory!.ids.data)).toEqual([4, 5, 6, 7, 0, 1, 2, 3]);
    rowsOf(after.memory!.keys)
      .slice(0, 4)
      .forEach((row, i) => row.forEach((x, j) => expect(x).toBeCloseTo(keys[i][j], 5)));
  });

  test("an image that comes again does not meet its older key", async () => {
    const framework = moco({ batchSplits: 1 }); // 16 images: a queue of 4
    const step = await stepper(framework);
    const { state } = await step(framework.init(), someBatch(framework, 1), 0.1);
    const loaded = someBatch(framework, 2);
    const run = async (ids: number[], groups: number[]) => {
      state.memory!.ids.data.set(ids);
      state.memory!.groups.data.set(groups);
      return (await step(state, loaded, 0.1)).metrics.loss; // of images 0 1 2 3 in groups 0 1 2 3
    };
    const all = await run([4, 5, 6, 7], [4, 5, 6, 7]);
    expect(await run([0, 1, 2, 3], [4, 5, 6, 7])).toBeLessThan(all); // each has one negative less
    expect(await run([4, 5, 6, 7], [0, 1, 2, 3])).toBeLessThan(all); // the same by its group
    expect(await run([-1, -1, -1, -1], [4, 5, 6, 7])).toBe(0); // no negatives in an empty queue
  });

  test("the symmetric form takes keys of both views", async () => {
    const framework = moco({ symmetric: true, batchSplits: 2, queueSize: 10 });
    const step = await stepper(framework);
    let { state } = await step(framework.init(), someBatch(framework, 1, 0));
    ({ state } = await step(state, someBatch(framework, 2, 4)));
    expect(Array.from(state.memory!.ids.data)).toEqual([4, 5, 6, 7, 4, 5, 6, 7, 0, 1]);
  });

  test("normalises query and key of an image with different neighbours by default", () => {
    const large = moco({}, { batchSize: 32, datasetSize: 100 });
    expect(large.batchSpec.views.shape[0]).toBe(64);
    expect(() => moco({ batchSplits: 3 })).toThrow(
      "moco: batchSplits is 3, expected a divisor of the batch size 4",
    );
  });
});
