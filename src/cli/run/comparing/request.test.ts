import { expect, test } from "vitest";

import { alone, leading } from "../../../ranks/index.ts";
import type { Call, OptionValues } from "../../verb.ts";
import { compare } from "../../verbs/compare.ts";
import { readRequest } from "./request.ts";

const specs = typeof compare.options === "function" ? await compare.options() : [];
const call = (options: OptionValues): Call => ({
  words: ["images"],
  options: { epochs: "2", ...options },
  specs,
  printer: undefined as never,
  signal: new AbortController().signal,
  saves: () => undefined,
  leader: leading(alone),
});

test("options of a sampler lie over those of each arm's preset", async () => {
  const over = ["samplers.falseNegatives.topK=5,50"];
  const request = await readRequest(
    call({ methods: "fnc", over, set: ["samplers.0.threshold=0.7"] }),
  );
  expect(request.arms.map(({ tree }) => tree.samplers)).toEqual(
    [5, 50].map((topK) => [{ name: "falseNegatives", warmup: 0.1, threshold: 0.7, topK }]),
  );
  expect(request.arms[0].tree).toMatchObject({ method: "fnc", framework: { views: 4 } });
});

test("what a method does not have is not added to it", async () => {
  const mixed = { methods: "simclr,ring", over: ["samplers.ring.outer=0.2,0.3"] };
  await expect(readRequest(call(mixed))).rejects.toThrow("would no longer be simclr");
});

test("groups and arms to make again are read, the same for all runs", async () => {
  const options = { methods: "simclr,hcl", groups: "groups.json", again: "hcl" };
  const { groups, again, arms } = await readRequest(call(options));
  expect([groups, again]).toEqual(["groups.json", ["hcl"]]);
  expect(arms.every(({ tree }) => tree.groups === "groups.json")).toBe(true);
  const wrong = readRequest(call({ ...options, again: "hlc" }));
  await expect(wrong).rejects.toThrow('--again names "hlc", expected an arm of this call');
});
