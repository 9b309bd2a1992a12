import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, describe, expect, test } from "vitest";

import { joinGroups } from "./joinGroups.ts";
import { readGroups, writeGroups } from "./groupsFile.ts";

const folder = mkdtempSync(join(tmpdir(), "contrapose-groups-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a file of groups", () => {
  test("comes back as it was written", async () => {
    const path = join(folder, "groups.json");
    await writeGroups(path, [["a", "b"], ["c"]], "/photos");
    expect(readGroups(path)).toEqual([["a", "b"], ["c"]]);
  });

  test("says what is wrong with it", () => {
    const path = join(folder, "bad.json");
    const error = (text: string) => {
      writeFileSync(path, text);
      return () => readGroups(path);
    };
    expect(error("{")).toThrow(/groups: .*bad\.json" is no JSON, expected/);
    expect(error("{}")).toThrow("is no file of groups");
    expect(error('{"format":"contrapose-groups","groups":[[1]]}')).toThrow("holds no lists of ids");
    expect(() => readGroups(join(folder, "none.json"))).toThrow("it does not exist");
  });
});

describe("groups of a file and of a dataset", () => {
  const ids = ["a", "b", "c", "d", "e", "f"];

  test("are joined where they share an image", () => {
    const groups = Int32Array.from([0, 1, 1, 3, 4, 5]);
    const joined = joinGroups({ ids, groups }, [
      ["a", "b"],
      ["d", "e", "gone"],
    ]);
    const same = (i: number, j: number) => joined.groups[i] === joined.groups[j];
    expect([same(0, 1), same(1, 2), same(3, 4), same(0, 3), same(4, 5)]).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
    expect(joined.unknown).toBe(1);
  });

  test("must have images in common", () => {
    const groups = Int32Array.from([0, 1, 2, 3, 4, 5]);
    expect(() => joinGroups({ ids, groups }, [["x", "y"]])).toThrow(
      'groups: none of 2 images is in the set, as "x"',
    );
    expect(joinGroups({ ids, groups }, []).groups).toEqual(groups);
  });
});
