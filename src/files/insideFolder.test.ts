import { join } from "node:path";

import { expect, test } from "vitest";

import { insideFolder } from "./insideFolder.ts";

test("gives paths within a folder, and refuses those that lead out of it", () => {
  expect(insideFolder("/photos", "a/b.jpg")).toBe(join("/photos", "a", "b.jpg"));
  expect(insideFolder("/photos", "a/../b.jpg")).toBe(join("/photos", "b.jpg"));
  expect(insideFolder("/photos", "..b.jpg")).toBe(join("/photos", "..b.jpg"));
  for (const name of ["../b.jpg", "a/../../photos2/b.jpg", "/photos/b.jpg", "..", "a\0b"]) {
    expect(() => insideFolder("/photos", name)).toThrow(/leads outside the folder "\/photos"/);
  }
});
