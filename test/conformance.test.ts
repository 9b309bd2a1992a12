import { readFileSync } from "node:fs";

import { describe, expect, test, vi } from "vitest";
import type { z } from "zod";

import {
  adapters,
  type CaseResult,
  checkCases,
  compareOutputs,
  type ConformanceCase,
  FORMAT,
  ownCases,
  ownCasesPath,
  parseCases,
} from "../src/conformance/index.ts";
import { DataError } from "../src/core/errors.ts";
import { losses } from "../src/losses/index.ts";
import { mixers, samplers } from "../src/sampling/index.ts";
import { goldenCases, goldenPresent } from "./golden.ts";
import { makeOwnCases, ownDrafts } from "./reference/ownCases.ts";
import { numbersOf } from "./reference/ownInputs.ts";
import { references } from "./reference/references.ts";

type Part = { name: string; options: z.ZodObject };
const exact = { loss: 1e-9, gradient: 1e-9 };
const everything = process.env.CONTRAPOSE_ALL_CASES === "1"; // every case on both devices: minutes
const methods = Object.keys(references);
const golden = methods.flatMap((method) => goldenCases<ConformanceCase>(method));

const byLoops = ({
  method,
  params,
  inputs,
}: Pick<ConformanceCase, "method" | "params" | "inputs">) =>
  references[method](params as never, inputs as never);

const failuresOf = (results: readonly CaseResult[]) =>
  results.filter(({ pass }) => !pass).map(({ id, message }) => `${id}: ${message}`);

/** Cases whose outputs by loops are not those expected, to 1e-9. */
const unlike = (cases: readonly ConformanceCase[]) =>
  cases.flatMap((given) => {
    const { failures } = compareOutputs(byLoops(given), given.expect, exact);
    return failures.map((failure) => `${given.id}: ${failure}`);
  });

/** A copy of a case with another expectation. */
const changed = (given: ConformanceCase, expected: Record<string, unknown>): ConformanceCase => ({
  ...given,
  expect: { ...given.expect, ...expected },
});

test("every loss, sampler and mixer of the catalogues is called by a case", async () => {
  const parts = [losses, samplers, mixers].flatMap((catalogue) => Object.values<Part>(catalogue));
  const spies = parts.map(({ name, options }) => ({ name, spy: vi.spyOn(options, "safeParse") }));
  const all = await ownCases();
  const first = methods.map((method) => all.find((one) => one.method === method)!);
  expect(failuresOf(await checkCases(first, { device: "reference" }))).toEqual([]);
  const uncalled = spies.filter(({ spy }) => spy.mock.calls.length === 0);
  expect(uncalled.map(({ name }) => name)).toEqual([]);
  vi.restoreAllMocks();
});

test("every method has loops and an adapter", () => {
  expect(Object.keys(adapters).sort()).toEqual([...methods].sort());
});

describe("loops over plain numbers", () => {
  test.skipIf(!goldenPresent)("give all reference cases to 1e-9", () => {
    expect(golden.length).toBeGreaterThanOrEqual(314);
    expect(unlike(golden)).toEqual([]);
  });

  test("give the cases of the package, and make the same file again", async () => {
    const cases = await ownCases();
    expect(unlike(cases)).toEqual([]);
    const made = makeOwnCases();
    const given = ({ id, params, inputs }: Pick<ConformanceCase, "id" | "params" | "inputs">) => ({
      id,
      params,
      inputs,
    });
    expect(cases.map(given)).toEqual(made.map(given));
  });

  test("the cases of the package hold several of every method, in less than 600 KB", async () => {
    const cases = await ownCases();
    const count = (method: string) => cases.filter((one) => one.method === method).length;
    expect(methods.filter((method) => count(method) < 3)).toEqual([]);
    expect(readFileSync(ownCasesPath()).length).toBeLessThan(600_000);
  });
});

describe("the package", () => {
  // `contrapose conformance` checks all of them: see cli.conformance.test.ts
  test(`passes ${everything ? "all" : "every fourth"} of its own cases on cpu in float32`, async () => {
    const some = (await ownCases()).filter((_, i) => everything || i % 4 === 0);
    expect(failuresOf(await checkCases(some))).toEqual([]);
  });

  test.skipIf(!goldenPresent)(
    everything
      ? "passes all reference cases on cpu in float32"
      : "passes every fifth reference case on cpu in float32",
    { timeout: 300_000 },
    async () => {
      const some = golden.filter((_, i) => everything || i % 5 === 0);
      expect(failuresOf(await checkCases(some))).toEqual([]);
    },
  );

  test.skipIf(!goldenPresent || !everything)(
    "passes all reference cases in float64, to 1e-10",
    { timeout: 600_000 },
    async () => {
      const results = await checkCases(golden, { device: "reference" });
      expect(failuresOf(results)).toEqual([]);
      // votes come from a float32 search on every device
      const doubles = results.filter(({ method }) => method !== "knnVote");
      expect(Math.max(...doubles.map(({ error }) => error!))).toBeLessThan(1e-10 / 2e-5);
    },
  );

  // the first drafts of a method are its plain forms; the numbers are others than in the file
  test.each(methods)("agrees with the loops on random inputs in float64: %s", async (method) => {
    const slugs = Object.keys(ownDrafts[method]);
    const chosen = [slugs[0], slugs.at(-1)!, slugs[1]].slice(0, everything ? 3 : 2);
    const cases = chosen.map((slug): ConformanceCase => {
      const { params, inputs } = ownDrafts[method][slug](numbersOf("random", method, slug));
      const outputs = byLoops({ method, params, inputs });
      const tolerance = method === "knnVote" ? { loss: 2e-5, gradient: 1 } : exact;
      return { id: slug, method, params, inputs, differentiate: [], expect: outputs, tolerance };
    });
    expect(failuresOf(await checkCases(cases, { device: "reference" }))).toEqual([]);
  });
});

describe("a case fails", () => {
  const find = async (id: string) => (await ownCases()).find((one) => one.id === id)!;
  const messageOf = async (given: ConformanceCase) => {
    const [{ pass, message, error }] = await checkCases([given]);
    expect(pass).toBe(false);
    expect(error === null || error > 1).toBe(true);
    return message;
  };

  test("where a number is beyond its tolerance", async () => {
    const given = await find("ntXent/two-views");
    const loss = given.expect.loss as number;
    const off = changed(given, { loss: loss + 2.5e-5 });
    expect(await messageOf(off)).toMatch(/^loss is [\d.]+, expected [\d.]+$/);
    expect(failuresOf(await checkCases([changed(given, { loss: loss + 1.5e-5 })]))).toEqual([]);
  });

  test("where a gradient, an index or a null differs", async () => {
    const given = await find("fnc/nothing-selected");
    const { views } = given.expect.gradients as { views: number[][][] };
    const bent = structuredClone(views);
    bent[1][0][0] += 1e-3;
    expect(await messageOf(changed(given, { gradients: { views: bent } }))).toMatch(
      /^gradients\.views\[1\]\[0\]\[0\] is /,
    );
    const mask = structuredClone(given.expect.mask as number[][]);
    mask[2][1] = 1;
    expect(await messageOf(changed(given, { mask }))).toBe("mask[2][1] is 0, expected 1");
    const detection = { ...(given.expect.detection as object), precision: 0.5 };
    expect(await messageOf(changed(given, { detection }))).toBe(
      "detection.precision is null, expected 0.5",
    );
  });

  test("where an output is missing or of another shape, all failures in one message", async () => {
    const given = await find("ring/ball");
    const members = (given.expect.members as number[][]).slice(1);
    const message = await messageOf(changed(given, { members, colour: 1 }));
    expect(message).toBe("members is a list of 3, expected a list of 2; colour is missing");
  });

  test("where the method is unknown, a parameter is missing, or inputs do not fit", async () => {
    const given = await find("ntXent/two-views");
    expect(await messageOf({ ...given, method: "ntxent" })).toMatch(
      /^the method "ntxent" is unknown, expected one of ntXent, infoNce, /,
    );
    expect(await messageOf({ ...given, params: {} })).toMatch(/^params: temperature: /);
    const ragged = [[1, 2], [3], [1, 1], [0, 1]];
    expect(await messageOf({ ...given, inputs: { ...given.inputs, view1: ragged } })).toBe(
      "view1 has lists of different lengths, expected equal ones",
    );
  });

  test("where something is no number", () => {
    const want = { loss: 1, perAnchor: [1, 2] };
    const tolerance = { loss: 1e-5, gradient: 1e-4 };
    const { error, failures } = compareOutputs(
      { loss: NaN, perAnchor: [1, Infinity] },
      want,
      tolerance,
    );
    expect(error).toBeNull();
    expect(failures).toEqual(["loss is NaN, expected 1", "perAnchor[1] is Infinity, expected 2"]);
  });
});

describe("tolerances", () => {
  const tolerance = { loss: 1e-5, gradient: 1e-4 };
  const errorOf = (got: Record<string, unknown>, want: Record<string, unknown>) =>
    compareOutputs(got, want, tolerance).error;

  test("real numbers: relative above 1, absolute below, one by one", () => {
    expect(errorOf({ scores: [100.0005] }, { scores: [100] })).toBeCloseTo(0.5, 6);
    expect(errorOf({ scores: [0.000005] }, { scores: [0] })).toBeCloseTo(0.5, 6);
    expect(errorOf({ scores: [0.5, 3] }, { scores: [0.50002, 3] })).toBeCloseTo(2, 6);
  });

  test("gradients: relative to the largest entry of the whole array, at least 0.1", () => {
    const want = { gradients: { view1: [[0, 2]] } };
    expect(errorOf({ gradients: { view1: [[1e-4, 2]] } }, want)).toBeCloseTo(0.5, 6);
    const flat = { gradients: { view1: [[0, 0]] } };
    expect(errorOf({ gradients: { view1: [[1e-5, 0]] } }, flat)).toBeCloseTo(1, 6);
  });

  test("integers and null are equal or not; ragged lists are compared as they are", () => {
    expect(errorOf({ mask: [[1.000001]] }, { mask: [[1]] })).toBeNull();
    expect(errorOf({ range: null }, { range: null })).toBe(0);
    expect(errorOf({ range: null }, { range: [1] })).toBeNull();
    expect(errorOf({ hardNegatives: [[], [2]] }, { hardNegatives: [[], [2]] })).toBe(0);
    expect(errorOf({ hardNegatives: [[2], []] }, { hardNegatives: [[], [2]] })).toBeNull();
  });
});

describe("a case file is refused", () => {
  const refusal = (text: string) => {
    try {
      parseCases(text, "cases.json");
    } catch (error) {
      expect(error).toBeInstanceOf(DataError);
      return (error as Error).message;
    }
    throw new Error("expected a refusal");
  };
  const file = (cases: unknown, format: unknown = FORMAT) => JSON.stringify({ format, cases });
  const one = {
    id: "ntXent/a",
    method: "ntXent",
    params: {},
    inputs: {},
    differentiate: [],
    expect: {},
    tolerance: { loss: 1, gradient: 1 },
  };

  test("where it is no JSON, or of another format", () => {
    expect(refusal("{")).toMatch(/^cases\.json is not JSON: /);
    expect(refusal("[1]")).toMatch(/^cases\.json holds no JSON object/);
    expect(refusal(file([], "contrapose-conformance/2"))).toBe(
      'cases.json has the format "contrapose-conformance/2", expected "contrapose-conformance/1"',
    );
    expect(refusal('{"cases": []}')).toMatch(/^cases\.json has no format, expected /);
  });

  test("where cases lack something, there are none, or two have one id", () => {
    expect(parseCases(file([one]), "cases.json")).toHaveLength(1);
    expect(refusal(file([{ ...one, tolerance: { loss: 0, gradient: 1 } }]))).toMatch(
      /^cases\.json: cases: 0\.tolerance\.loss: /,
    );
    expect(refusal(file([]))).toMatch(/expected at least one case/);
    expect(refusal(file([one, one]))).toBe(
      'cases.json: the id "ntXent/a" occurs twice, expected once',
    );
  });
});
