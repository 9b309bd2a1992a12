import { readFileSync, writeFileSync } from "node:fs";

import { afterAll, describe, expect, test } from "vitest";

import { contrapose, scratch } from "./cli.ts";

const folder = scratch();
afterAll(() => folder.remove());

type Case = { id: string; method: string; expect: { loss: number } };
type Answer = {
  passed: number;
  failed: number;
  cases: { id: string; pass: boolean; error: number | null; message: string }[];
};

const own = JSON.parse(readFileSync(new URL("cases/own.json", import.meta.url), "utf8")) as {
  format: string;
  cases: Case[];
};

/** Writes a case file of a few cases. */
function fileOf(name: string, cases: readonly Case[], format = own.format): string {
  writeFileSync(folder.at(name), JSON.stringify({ format, cases }));
  return folder.at(name);
}

const [first, second] = own.cases.filter(({ method }) => method === "ntXent");
const wrong = { ...second, expect: { ...second.expect, loss: second.expect.loss + 1 } };

describe("conformance", () => {
  test("without files checks the cases of the package, which all agree", async () => {
    const { code, json, err } = await contrapose(["conformance", "--json"]);
    expect([code, err]).toEqual([0, ""]);
    expect(json()).toMatchObject({ device: "cpu", passed: own.cases.length, failed: 0 });
  });

  test("prints a line a case with its error, and a summary", async () => {
    const file = fileOf("good.json", [first]);
    const { code, out } = await contrapose(["conformance", file, "--device", "reference"]);
    expect(code).toBe(0);
    const lines = out.trimEnd().split("\n");
    expect(lines[0]).toMatch(/^ok {4}ntXent\/\S+ {2,}\d/);
    expect(lines.at(-1)).toMatch(/^1 of 1 cases agree on reference \(float64\); largest error /);
  });

  test("ends with 1 where a case fails, and says which number is wrong", async () => {
    const [file, other] = [fileOf("bad.json", [first, wrong]), fileOf("more.json", [first])];
    const { code, json, err } = await contrapose(["conformance", file, other, "--json"]);
    expect([code, err]).toEqual([1, ""]);
    const { passed, failed, cases } = json() as unknown as Answer;
    expect([passed, failed]).toEqual([2, 1]);
    expect(cases.map(({ pass }) => pass)).toEqual([true, false, true]);
    expect(cases[1].message).toMatch(/^loss is [\d.]+, expected [\d.]+$/);
  });

  test("ends with 2 where a file is missing or of another format, or a device is not there", async () => {
    const foreign = fileOf("foreign.json", [first], "contrapose-conformance/9");
    const called = await contrapose(["conformance", foreign]);
    expect(called.code).toBe(2);
    expect(called.err).toContain('has the format "contrapose-conformance/9", expected');
    const missing = await contrapose(["conformance", folder.at("none.json")]);
    expect(missing.code).toBe(2);
    expect(missing.err).toContain("it does not exist");
    const nowhere = await contrapose(["conformance", foreign, "--device", "abacus"]);
    expect(nowhere.code).toBe(2);
  });
});
