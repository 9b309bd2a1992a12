import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, expect, test } from "vitest";

import {
  type Decision,
  readDecisions,
  withDecision,
  withoutDecision,
  writeDecisions,
} from "./decisionsFile.ts";
import { readGroups } from "./groupsFile.ts";

const folder = mkdtempSync(join(tmpdir(), "contrapose-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const keep: Decision = { choice: "keep", keep: "a.jpg", images: ["a.jpg", "b.jpg"] };
const group: Decision = { choice: "group", images: ["c.jpg", "d.jpg"] };
const ignore: Decision = { choice: "ignore", images: ["e.jpg", "f.jpg"] };
const aside: Decision = { choice: "aside", images: ["odd.jpg"] };

test("what is written is read, and is a file of groups for training", async () => {
  const path = join(folder, "decisions.json");
  const decisions = [keep, group, ignore, aside];
  await writeDecisions(path, { images: "/photos", decisions });
  expect(await readDecisions(path)).toMatchObject({ images: "/photos", decisions });
  expect(readGroups(path)).toEqual([
    ["a.jpg", "b.jpg"],
    ["c.jpg", "d.jpg"],
  ]);
});

test("another choice for the same images takes the place of the first, whatever their order", () => {
  const other: Decision = { choice: "ignore", images: ["b.jpg", "a.jpg"] };
  expect(withDecision([keep, group], other)).toEqual([group, other]);
  expect(withoutDecision([keep, group], ["b.jpg", "a.jpg"])).toEqual([group]);
});

test("no file holds no decision; a file of another kind is refused", async () => {
  expect(await readDecisions(join(folder, "none.json"))).toEqual({ decisions: [] });
  const path = join(folder, "other.json");
  writeFileSync(path, '{"format": "contrapose-groups", "groups": []}');
  await expect(readDecisions(path)).rejects.toThrow(/decisions/);
  expect(readFileSync(path, "utf8")).toContain("groups");
});
