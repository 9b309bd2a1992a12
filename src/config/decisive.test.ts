import { expect, test } from "vitest";

import { configHash, differences } from "./decisive.ts";

test("the hash looks at values, not at the order of keys or at what is left out", () => {
  const one = configHash({ a: 1, b: { c: [1, 2], d: undefined } });
  expect(configHash({ b: { c: [1, 2] }, a: 1 })).toBe(one);
  expect(configHash({ b: { c: [2, 1] }, a: 1 })).not.toBe(one);
});

test("differences name the path and both values", () => {
  const before = { batchSize: 64, optimiser: { name: "sgd", momentum: 0.9 } };
  const after = { batchSize: 128, optimiser: { name: "sgd" }, blocks: [1, 1] };
  expect(differences(after, before)).toEqual([
    "batchSize is 128, was 64",
    "blocks is [1,1], was not set",
    "optimiser.momentum is not set, was 0.9",
  ]);
});
