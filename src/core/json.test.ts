import { expect, test } from "vitest";
import { z } from "zod";

import { DataError } from "./errors.ts";
import { isJson, parseAs, parseJson } from "./json.ts";

test("reads JSON as JSON.parse does", () => {
  const value = { a: [1, null, ']]]] \\" {{{{'], b: { c: true } };
  expect(parseJson(JSON.stringify(value))).toEqual(value);
  expect(isJson('{"a": "' + "[".repeat(1000) + '"}')).toBe(true);
  expect(isJson('{"a": "\\')).toBe(false);
});

test("refuses what is nested too deeply, in the time of one look", () => {
  expect(isJson("[".repeat(64) + "]".repeat(64))).toBe(true);
  expect(() => parseJson("[".repeat(65) + "]".repeat(65))).toThrow("more than 64 levels deep");
  expect(() => parseJson('{"a":'.repeat(10_000_000))).toThrow("more than 64 levels deep");
});

test("names place and field of what does not fit", () => {
  const schema = z.object({ count: z.int().min(0) });
  const read = (text: string) => parseAs(schema, text, { where: "x.json", hint: "mend it" });
  expect(read('{"count": 3}')).toEqual({ count: 3 });
  expect(() => read('{"count": -3}')).toThrow(DataError);
  expect(() => read('{"count": -3}')).toThrow(/^x\.json: count: .* \(is -3\)$/);
  expect(() => read('{"count":')).toThrow("x.json is no JSON");
  expect(() => read("null")).toThrow("x.json: expected object, received null");
});
