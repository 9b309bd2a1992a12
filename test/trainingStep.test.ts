import { existsSync } from "node:fs";

import { describe, expect, test } from "vitest";

import { leavesOf } from "../src/engine/program.ts";
import type { HostTree } from "../src/core/arrays.ts";
import { availableDevices } from "../src/engine/index.ts";
import { worstDifference } from "../src/engine/testing.ts";
import { someBatch, stepper, tinyFramework } from "./tinyFramework.ts";

const driver = "/usr/lib/chromium/vk_swiftshader_icd.json";
const configs = {
  "a residual net of blocks of channels": {
    encoder: { name: "resnet", width: 16, blocks: [1] },
    batchSize: 3,
    imageSize: 4,
  },
  "a residual net of few channels": { encoder: { name: "resnet", width: 3, blocks: [1, 1] } },
  "momentum contrast": { framework: "moco", batchSize: 4, datasetSize: 64 },
  "instance discrimination": { framework: "instDisc", batchSize: 4 },
  "LARS with weight decay": { optimiser: { name: "lars", weightDecay: 1e-4 } },
  AdamW: { optimiser: { name: "adamw" } },
};

async function follow(config: object, device: string, updates: number, tolerance: number) {
  const framework = tinyFramework(config);
  const [reference, compiled] = [await stepper(framework), await stepper(framework, device)];
  let [a, b] = [framework.init(), framework.init()];
  for (let step = 0; step < updates; step++) {
    const batch = someBatch(framework, step);
    const [want, got] = [
      await reference(a, batch, 0.02, step),
      await compiled(b, batch, 0.02, step),
    ];
    expect(Math.abs(got.metrics["loss"] - want.metrics["loss"])).toBeLessThan(tolerance);
    [a, b] = [want.state, got.state];
  }
  expect(leavesOf(b as unknown as HostTree).length).toBeGreaterThan(5);
  expect(worstDifference(b as unknown as HostTree, a as unknown as HostTree)).toBeLessThan(
    20 * tolerance,
  );
}

describe("whole training steps, several updates, agree with jax-js", () => {
  for (const [name, config] of Object.entries(configs)) {
    test(`on the CPU: ${name}`, () => follow(config, "cpu", 3, 2e-5));
  }
  const loader = ["x86_64", "aarch64"].some((machine) =>
    existsSync(`/usr/lib/${machine}-linux-gnu/libvulkan.so.1`),
  );
  const usable = existsSync(driver) && loader && availableDevices().includes("webgpu");
  test.skipIf(!usable)(
    "on WebGPU with a software driver (needs Debian's chromium and libvulkan1)",
    async () => {
      process.env["VK_ICD_FILENAMES"] = driver;
      await follow({}, "webgpu", 3, 5e-5);
    },
  );
});
