import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { describe, expect, test } from "vitest";

import { checkStarts, type StartResult } from "../src/conformance/index.ts";

const at = (path: string) => fileURLToPath(new URL(`../../shared/${path}`, import.meta.url));
const hub = at("golden/hub");
const real = at("data/pretrained/efficientnet-lite0");

const failing = (results: readonly StartResult[]) =>
  results.filter(({ pass }) => !pass).map(({ name, way, message }) => `${name} ${way} ${message}`);

describe("pretrained encoders agree with their makers' programs", () => {
  test.skipIf(!existsSync(hub))("tiny ones under real names (needs golden/hub)", async () => {
    const results = await checkStarts(hub, { each: () => undefined });
    expect(results.length).toBeGreaterThan(30);
    // its maker changed the frequencies of its rotary positions, which only its ONNX model holds
    const others = results.filter(({ name, way }) => name !== "hf--dinov3" || way !== "weights");
    expect(failing(others)).toEqual([]);
  });

  test.skipIf(!existsSync(real))("EfficientNet-Lite0 (needs data/pretrained)", async () => {
    const results = await checkStarts(real, { each: () => undefined });
    expect(results.map(({ size, way }) => `${size} ${way}`)).toContain("224 weights");
    expect(failing(results)).toEqual([]);
  });
});
