import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, it } from "vitest";

import { DataError } from "../core/errors.ts";
import { appendLine, readJsonLines } from "./jsonLines.ts";

const root = mkdtempSync(join(tmpdir(), "contrapose-lines-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let count = 0;
const fresh = () => join(root, `${count++}.jsonl`);

it("reads back the values that were appended", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.jsonValue(), { maxLength: 8 }), async (values) => {
      const path = fresh();
      writeFileSync(path, "");
      for (const value of values) appendLine(path, value);
      expect(await readJsonLines(path)).toEqual(JSON.parse(JSON.stringify(values)));
    }),
    { numRuns: 30 },
  );
});

it("loses the last line only, wherever the file was cut, and can be appended to again", async () => {
  const records = [{ step: 1, loss: 5.25 }, { step: 2, name: "ä\n" }, { step: 3 }];
  const path = fresh();
  for (const record of records) appendLine(path, record);
  const whole = readFileSync(path);
  for (let length = 0; length <= whole.length; length++) {
    const cut = fresh();
    writeFileSync(cut, whole.subarray(0, length));
    const read = await readJsonLines(cut);
    expect(read).toEqual(records.slice(0, read.length));
    const lines = whole.subarray(0, length).filter((byte) => byte === 10).length;
    expect(read.length).toBeGreaterThanOrEqual(lines);
    appendLine(cut, "next");
    expect(await readJsonLines(cut)).toEqual([...read, "next"]);
  }
});

it("names the line that is broken in the middle", async () => {
  const path = fresh();
  writeFileSync(path, '{"a":1}\n{"a":\n{"a":3}\n');
  const error = await readJsonLines(path).catch((failure: unknown) => failure);
  expect(error).toBeInstanceOf(DataError);
  expect((error as DataError).message).toBe(
    `${JSON.stringify(path)} line 2: is no JSON ("{\\"a\\":")`,
  );
});

it("says which file is missing", async () => {
  await expect(readJsonLines("nowhere/metrics.jsonl")).rejects.toThrow(
    'cannot read "nowhere/metrics.jsonl": it does not exist',
  );
});
