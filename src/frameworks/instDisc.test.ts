import { describe, expect, test } from "vitest";

import { rowsOf } from "../testing/arrays.ts";
import { someBatch, stepper, tinyFramework } from "../../test/tinyFramework.ts";
import { LOWEST } from "../core/numerics.ts";

describe("instDisc", () => {
  test("moves the rows of the batch half way to their embeddings and keeps the others", async () => {
    const framework = tinyFramework({ framework: "instDisc" });
    const before = framework.init();
    const { state } = await (await stepper(framework))(before, someBatch(framework, 1, 8));
    const [old, fresh] = [rowsOf(before.memory!.rows), rowsOf(state.memory!.rows)];
    fresh.forEach((row, i) => {
      expect(Math.hypot(...row)).toBeCloseTo(1, 5);
      const stays = i < 8 || i > 11;
      if (stays) expect(row).toEqual(old[i]);
      else expect(row).not.toEqual(old[i]);
    });
    expect(Array.from(state.memory!.groups.data).slice(7, 13)).toEqual([-1, 8, 9, 10, 11, -1]);
  });

  test("learns to tell every image of a set from the others", async () => {
    const framework = tinyFramework({
      framework: "instDisc",
      datasetSize: 4,
      encoder: { name: "resnet", width: 8, blocks: [1, 1] },
    });
    const step = await stepper(framework, "cpu");
    const loaded = someBatch(framework, 5);
    let { state, metrics } = await step(framework.init(), loaded, 0.05);
    for (let i = 0; i < 40; i++) ({ state, metrics } = await step(state, loaded, 0.05));
    expect(metrics.accuracy).toBe(1);
    expect(metrics.loss).toBeLessThan(0.5 * framework.chanceLoss());
  });

  test("noise: fixes the normaliser on the first step and draws other rows each step", async () => {
    const framework = tinyFramework({
      framework: { name: "instDisc", form: "nce", noise: 5 },
    });
    const step = await stepper(framework);
    const one = await step(framework.init(), someBatch(framework, 1), 0.05, 0);
    const two = await step(one.state, someBatch(framework, 2, 4), 0.05, 1);
    const constant = one.state.memory!.logNormaliser.data[0];
    expect(framework.init().memory!.logNormaliser.data[0]).toBeLessThan(LOWEST / 2);
    expect(constant).toBeGreaterThan(0);
    expect(two.state.memory!.logNormaliser.data[0]).toBe(constant);
    const draw = (at: number) => {
      const scalars = { learningRate: 0, step: at, progress: 0 };
      return Array.from(framework.batch(someBatch(framework, 1), scalars).noise.data);
    };
    expect(draw(0)).toEqual(draw(0));
    expect(draw(0)).not.toEqual(draw(1));
    expect(Math.max(...draw(0))).toBeLessThan(16);
  });

  test("noise: rows of the image's group are left out", async () => {
    const framework = tinyFramework({
      framework: { name: "instDisc", form: "nce", noise: 5 },
    });
    const step = await stepper(framework);
    const metricsOf = async (group: number, stored: number) => {
      const state = framework.init();
      state.memory!.groups.data.fill(stored);
      const loaded = someBatch(framework, 1);
      loaded.groups.fill(group);
      return (await step(state, loaded)).metrics;
    };
    const [strangers, unknown, mates] = [
      await metricsOf(1, 2),
      await metricsOf(-1, -1),
      await metricsOf(1, 1),
    ];
    expect(unknown.loss).toBe(strangers.loss);
    expect(mates.loss).toBeLessThan(strangers.loss);
    expect(strangers.negativeSimilarity).not.toBe(0);
    expect(mates.negativeSimilarity).toBe(0); // no noise is left
  });

  test("noise: what it would not look at is refused", () => {
    const build = (loss: string | object) => () =>
      tinyFramework({ framework: { name: "instDisc", form: "nce" }, loss: loss });
    expect(build("hardNegative")).toThrow(
      'instDisc: the form "nce" has its own loss and the loss is hardNegative, expected infoNce with a temperature alone',
    );
    expect(build({ name: "infoNce", denominator: "none" })).toThrow(
      "and its option denominator is set, expected infoNce",
    );
    expect(build({ name: "infoNce", temperature: 0.07 })).not.toThrow();
  });
});
