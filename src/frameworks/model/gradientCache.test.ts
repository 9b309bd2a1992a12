import { describe, expect, test } from "vitest";

import { someBatch, stepper, tinyFramework } from "../../../test/tinyFramework.ts";
import { flattenTree, type HostRecord, type HostTree } from "../../core/arrays.ts";
import { compile } from "../../engine/index.ts";
import type { Framework } from "../framework.ts";
import { cachedExamples, type CachedRunners, microBatch, runCached } from "./gradientCache.ts";
import type { HostState } from "./state.ts";

async function cachedStep(
  framework: Framework,
  state: HostState,
  batch: HostRecord,
  { count, device }: { count: number; device: string },
) {
  const programs = framework.cached!(count);
  const dimension = framework.head.dimension;
  const examples = cachedExamples(state, batch, { count, dimension });
  const names = ["embed", "contrast", "backward", "apply"] as const;
  const runners = {} as CachedRunners;
  for (const name of names) {
    const program = await compile(programs[name] as never, examples[name], { device });
    runners[name] = (...args: HostTree[]) => program.run(...args);
  }
  return runCached(runners, count, state, batch);
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
    const [before, loaded] = [framework.init(), someBatch(framework, 4)];
    const whole = await (await stepper(reference, device))(before, loaded, 0.5);
    const batch = framework.batch(loaded, { learningRate: 0.5, step: 0, progress: 0 });
    const [state, metrics] = await cachedStep(framework, framework.init(), batch, {
      count,
      device,
    });
    const want = new Map(flattenTree(whole.state));
    const got = flattenTree(state);
    expect(got.map(([path]) => path).sort()).toEqual([...want.keys()].sort());
    for (const [path, { data }] of got) {
      data.forEach((value, i) =>
        expect(Math.abs(value - want.get(path)!.data[i]), path).toBeLessThan(1e-5),
      );
    }
    for (const [name, value] of Object.entries(whole.metrics)) {
      expect(metrics[name].data[0], name).toBeCloseTo(value, 4);
    }
    const moved = state.encoder.parameters["conv1.weight"].data;
    expect(moved).not.toEqual(before.encoder.parameters["conv1.weight"].data);
  });
});

describe("gradient caching", () => {
  test("micro-batch i holds rows i, i + count, …", () => {
    const array = { dtype: "int32", shape: [6, 1], data: Int32Array.of(0, 1, 2, 3, 4, 5) } as const;
    expect(Array.from(microBatch(array, 3, 1).data)).toEqual([1, 4]);
  });

  test("says when the views do not divide", () => {
    expect(() => tinyFramework().cached!(3)).toThrow(
      "gradient caching: 8 views do not divide into 3 micro-batches",
    );
  });
});
