import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";

import { afterAll, expect, test } from "vitest";

import { runPagePath, spread } from "./resultPage.ts";

const folder = mkdtempSync(join(tmpdir(), "contrapose-pages-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a run's own page is replaced, any other file only with --overwrite", () => {
  const [own, other] = [join(folder, "report.html"), join(folder, "notes.txt")];
  for (const path of [own, other]) writeFileSync(path, "text");
  const placed = (options: Record<string, string | true>) =>
    runPagePath("report", own, { options });
  expect(placed({})).toBe(own);
  expect(placed({ out: relative(".", own) })).toBe(relative(".", own));
  expect(placed({ out: join(folder, "new.html") })).toBe(join(folder, "new.html"));
  expect(() => placed({ out: other })).toThrow(/^report: ".*notes\.txt" exists$/);
  expect(placed({ out: other, overwrite: true })).toBe(other);
});

test("of many images the first is shown, and others from all over the rest", () => {
  const many = Array.from({ length: 144 }, (_, i) => i);
  const shown = spread(many, 60);
  expect([shown.length, shown[0], new Set(shown).size]).toEqual([60, 0, 60]);
  expect(shown.filter((i) => i >= 72)).toHaveLength(30);
  expect(spread(many.slice(0, 60), 60)).toEqual(many.slice(0, 60));
});
