import { describe, expect, test } from "vitest";

import { rowsOf } from "../testing/arrays.ts";
import { someBatch, stepper, tinyFramework } from "../../test/tinyFramework.ts";

const nnclr = (options: object = {}, rest: object = {}) =>
  tinyFramework({ framework: { name: "nnclr", hidden: 8, ...options }, ...rest });

describe("nnclr", () => {
  test("its queue takes the projections of the first views, the newest in front", async () => {
    const framework = nnclr({ queueSize: 6 });
    const step = await stepper(framework);
    const one = await step(framework.init(), someBatch(framework, 1, 0));
    const two = await step(one.state, someBatch(framework, 2, 4), 0.05, 1);
    const { keys, ids } = two.state.memory!;
    expect(Array.from(one.state.memory!.ids.data)).toEqual([0, 1, 2, 3, -1, -1]);
    expect(Array.from(ids.data)).toEqual([4, 5, 6, 7, 0, 1]);
    expect(rowsOf(keys).slice(4)).toEqual(rowsOf(one.state.memory!.keys).slice(0, 2));
    for (const row of rowsOf(keys)) expect(Math.hypot(...row)).toBeCloseTo(1, 5);
  });

  test("an older projection of the image itself is no neighbour", async () => {
    const framework = nnclr({ queueSize: 4 });
    const step = await stepper(framework);
    const loaded = someBatch(framework, 1);
    const { state } = await step(framework.init(), loaded, 0);
    const other = { ...loaded, labels: Int32Array.from([0, 1, 2, 3]) };
    state.memory!.labels.data.set([0, 1, 2, 3]);
    const { metrics } = await step(state, other, 0, 1); // each image is nearest to itself
    expect(framework.figures(metrics).positivePurity).toBe(0);
  });

  test("reports the share of neighbours of the anchor's label, where labels are known", async () => {
    const framework = nnclr({ queueSize: 4 });
    const step = await stepper(framework);
    const { state } = await step(framework.init(), someBatch(framework, 1));
    const purity = async (stored: number[], labels?: number[]) => {
      state.memory!.labels.data.set(stored);
      const loaded = { ...someBatch(framework, 2, 4), labels: labels && Int32Array.from(labels) };
      return framework.figures((await step(state, loaded, 0, 1)).metrics).positivePurity;
    };
    expect(await purity([7, 7, 7, 7], [7, 7, 7, 7])).toBe(1);
    expect(await purity([7, 7, 7, 7], [7, 8, 7, -1])).toBeCloseTo(2 / 3, 6);
    expect(await purity([7, 7, 7, 7])).toBeUndefined();
    expect(await purity([-1, -1, -1, -1], [7, 7, 7, 7])).toBeUndefined();
  });
});
