import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { kernelSource } from "./kernelCode.ts";
import { openKernels } from "./kernels.ts";

test("the code was compiled of the source as it is (node scripts/kernels.mjs)", () => {
  const source = readFileSync(new URL("../../../kernels/views.ts", import.meta.url));
  expect(createHash("sha256").update(source).digest("hex").slice(0, 16)).toBe(kernelSource);
});

test("memory grows where more is asked for, and keeps what it holds", () => {
  const kernels = openKernels(16);
  kernels.floats().set([1, 2, 3, 4, 5]);
  kernels.reserve(200_000);
  expect(kernels.bytes().length).toBeGreaterThanOrEqual(200_000);
  expect(kernels.sum(0, 20)).toBe(15); // one vector and one more
  expect(kernels.sum(4, 12)).toBe(9);
});
