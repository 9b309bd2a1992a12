import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, expect, test, vi } from "vitest";

import { cacheFor } from "./images.ts";

const folder = mkdtempSync(join(tmpdir(), "contrapose-cache-"));
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

test("images are packed where it is said, else beside the run, else in a folder to write to", () => {
  vi.stubEnv("CONTRAPOSE_CACHE", "");
  const run = join(folder, "runs", "one");
  mkdirSync(join(run, "checkpoints", "last"), { recursive: true });
  for (const name of ["config.json", "metrics.jsonl"]) writeFileSync(join(run, name), "");
  writeFileSync(join(folder, "config.json"), ""); // of another program
  const asked = { options: {} };
  const beside = join(folder, "runs", ".packed");
  expect(cacheFor(asked, run)).toBe(beside);
  expect(cacheFor(asked, join(run, "checkpoints", "last"), "elsewhere")).toBe(beside);
  const model = join(folder, "models", "encoder.onnx");
  expect(cacheFor(asked, model)).toBe(".packed");
  expect(cacheFor(asked, model, "tables")).toBe(join("tables", ".packed"));
  expect(cacheFor({ options: { cache: "here" } }, run)).toBe("here");
  vi.stubEnv("CONTRAPOSE_CACHE", "/cache");
  expect(cacheFor(asked, run)).toBe(join("/cache", "packed"));
  expect(cacheFor({ options: { cache: "here" } }, run)).toBe("here");
});
