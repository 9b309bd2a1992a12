import { expect, test } from "vitest";

import { adapters } from "../adapters.ts";
import { createMachine } from "../machine.ts";

const inputs = {
  query: [
    [1, 0.2, 0],
    [0.1, 1, 0.3],
  ],
  key: [
    [0.9, 0, 0.1],
    [0, 0.8, 0.4],
  ],
  queue: [
    [0, 0, 1],
    [0.7, 0.7, 0],
    [-1, 0.5, 0],
  ],
};
const given = (method: string, params: Record<string, unknown>) => ({
  id: `${method}/x`,
  method,
  params,
  inputs,
  differentiate: ["query"],
  expect: {},
  tolerance: { loss: 1e-6, gradient: 1e-6 },
});

test.each([
  ["a row for each query", [[], []]],
  ["no row at all", []],
])("without mixes the loss is that of the queue: %s", async (_, empty) => {
  const machine = createMachine("reference");
  const none = { pairs: empty, alphas: empty, picks: empty, betas: empty };
  const params = { temperature: 0.2, topN: 2, ...none };
  const mixed = await adapters.mochi(given("mochi", params), machine);
  const plain = await adapters.infoNce(
    given("infoNce", { temperature: 0.2, negatives: "queue" }),
    machine,
  );
  expect(mixed.perAnchor).toEqual(plain.perAnchor);
  expect(mixed.gradients).toEqual({ query: (plain.gradients as { query: unknown }).query });
  expect(mixed.synthetic).toEqual([[], []]);
});
