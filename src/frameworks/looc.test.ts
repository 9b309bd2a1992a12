import { describe, expect, test } from "vitest";

import { rowsOf } from "../testing/arrays.ts";
import { someBatch, stepper, tinyFramework } from "../../test/tinyFramework.ts";

const looc = (options: object = {}, rest: object = {}) =>
  tinyFramework({ framework: { name: "looc", augmentations: ["colour"], ...options }, ...rest });

describe("looc", () => {
  test("has a head, a queue and a view for each space, and one view more", () => {
    const framework = looc({ augmentations: ["colour", "blur"], queueSize: 5 });
    expect([framework.viewCount, framework.queryViews]).toEqual([4, 1]);
    expect(framework.batchSpec.views.shape[0]).toBe(16);
    const { memory, head, key } = framework.init();
    expect(Object.keys(memory!).sort()).toEqual(
      ["groups", "ids", "keys0", "keys1", "keys2", "labels"].sort(),
    );
    expect(memory!.keys2.shape).toEqual([5, 4]);
    const heads = Object.keys(head.parameters).map((name) => name.split(".")[1]);
    expect([...new Set(heads)].sort()).toEqual(["space0", "space1", "space2"]);
    expect(Object.keys(key!.head.parameters)).toEqual(Object.keys(head.parameters));
  });

  test("a queue takes the key that shares its augmentation, or the first one", async () => {
    const [own, first] = [looc({ queueSize: 6 }), looc({ queueSize: 6, enqueue: "first" })];
    const loaded = someBatch(own, 1, 8);
    const after = async (framework: typeof own) =>
      (await (await stepper(framework))(framework.init(), loaded)).state.memory!;
    const [a, b] = [await after(own), await after(first)];
    expect(Array.from(a.ids.data)).toEqual([8, 9, 10, 11, -1, -1]);
    expect(Array.from(a.groups.data)).toEqual([8, 9, 10, 11, -1, -1]);
    expect(rowsOf(a.keys0)).toEqual(rowsOf(b.keys0)); // the first key is that of space 0
    expect(rowsOf(a.keys1)[0]).not.toEqual(rowsOf(b.keys1)[0]);
    for (const row of rowsOf(a.keys1).slice(0, 4)) expect(Math.hypot(...row)).toBeCloseTo(1, 5);
  });

  test("in an empty queue only the image's other keys are negatives: none in space 0", async () => {
    const framework = looc({ augmentations: ["colour", "blur"], queueSize: 5 });
    const { metrics } = await (await stepper(framework))(framework.init(), someBatch(framework, 1));
    expect(metrics.lossSpace0).toBe(0);
    expect(metrics.lossSpace1).toBeGreaterThan(0);
    const mean = (metrics.lossSpace0 + metrics.lossSpace1 + metrics.lossSpace2) / 3;
    expect(metrics.loss).toBeCloseTo(mean, 6);
  });

  test("a batch that does not divide, an unknown augmentation and none are refused", () => {
    expect(() => looc({ batchSplits: 3 })).toThrow(
      "looc: batchSplits is 3, expected a divisor of the batch size 4",
    );
    expect(() => looc({ augmentations: ["color"] })).toThrow(/augmentations/);
    expect(() => looc({ augmentations: [] })).toThrow(/augmentations/);
  });
});
