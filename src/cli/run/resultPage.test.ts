import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";

import { afterAll, expect, test } from "vitest";

import { runPagePath } from "./resultPage.ts";

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
