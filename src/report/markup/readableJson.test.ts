import fc from "fast-check";
import { expect, test } from "vitest";

import { readableJson } from "./readableJson.ts";

test("what is printed parses to the same value", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(JSON.parse(readableJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});

test("short lists stay on a line, and the outermost members get one each", () => {
  expect(readableJson({ blocks: [2, 2], views: { flip: 0.5 } })).toBe(
    '{\n  "blocks": [2, 2],\n  "views": { "flip": 0.5 }\n}',
  );
  expect(readableJson({ list: Array.from({ length: 60 }, (_, i) => i) }).split("\n").length).toBe(
    64,
  );
});

test("what JSON cannot hold is null", () => {
  expect(readableJson({ rate: NaN })).toBe('{\n  "rate": null\n}');
  expect(readableJson(() => 1)).toBe("null");
});
