import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, expect, test } from "vitest";

import {
  appendResult,
  checkCompareFolder,
  compareFolder,
  readResults,
  writeState,
} from "./folder.ts";
import {
  fileNames,
  type PlannedArm,
  planRuns,
  refuseChanged,
  runConfigPath,
  runTree,
  standingOf,
} from "./plan.ts";
import { resultFor } from "./testing.ts";

const root = mkdtempSync(join(tmpdir(), "contrapose-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const arm = (name: string, batchSize = 16) =>
  ({
    name,
    file: name,
    tree: { batchSize },
    plan: { decisive: { batchSize, dataset: "f" } },
  }) as unknown as PlannedArm;
const data = { train: undefined as never, test: undefined };
const state = { format: 1, contrapose: "0", parallel: 1, threads: 1, secondsPerEpoch: {} } as const;

test("runs go seed by seed, with hashes that tell arms, seeds and settings apart", () => {
  const arms = [arm("a"), arm("b", 32)];
  const runs = planRuns(arms, [0, 5], data);
  expect(runs.map(({ name }) => name)).toEqual(["a-seed0", "b-seed0", "a-seed5", "b-seed5"]);
  expect(new Set(runs.map(({ hash }) => hash)).size).toBe(4);
  expect(planRuns(arms, [0], data)[0].hash).toBe(runs[0].hash);
  expect(fileNames(["a b", "a-b", "c"])).toEqual(["a-b", "a-b-2", "c"]);
});

test("what is done is found, what was begun is gone on with, what changed is refused", async () => {
  const folder = compareFolder(join(root, "out"));
  await writeState(folder, state);
  const [a, b, c] = planRuns([arm("a"), arm("b"), arm("c")], [0], data);
  appendResult(folder, resultFor("a", 0, 0.4, { hash: a.hash }));
  writeFileSync(runConfigPath(folder, b), JSON.stringify(runTree(folder, b)));
  mkdirSync(join(folder.runs, b.name));
  writeFileSync(join(folder.runs, b.name, "config.json"), "{}");
  const results = await readResults(folder);
  const kinds = [a, b, c].map((run) => standingOf(folder, run, results).kind);
  expect(kinds).toEqual(["done", "begun", "new"]);

  const changed = planRuns([arm("b", 64)], [0], data);
  const standings = changed.map((run) => standingOf(folder, run, results));
  expect(standings).toEqual([{ kind: "changed", how: "batchSize is 64, was 16" }]);
  expect(() => refuseChanged(changed, standings, folder)).toThrow(
    "the run b-seed0 in " +
      JSON.stringify(folder.path) +
      " has other settings: batchSize is 64, was 16",
  );
});

test("a config that was cut short, or a run without one, is begun anew", () => {
  const folder = compareFolder(join(root, "out"));
  const [run] = planRuns([arm("d")], [0], data);
  mkdirSync(join(folder.runs, run.name), { recursive: true });
  writeFileSync(join(folder.runs, run.name, "config.json"), "{}");
  expect(standingOf(folder, run, []).kind).toBe("new");
  writeFileSync(runConfigPath(folder, run), '{"about": {"ha');
  expect(standingOf(folder, run, []).kind).toBe("new");
});

test("a folder is a comparison, empty, or refused", () => {
  checkCompareFolder(compareFolder(join(root, "out")));
  checkCompareFolder(compareFolder(join(root, "nowhere")));
  const other = join(root, "other");
  mkdirSync(join(other, "runs"), { recursive: true });
  checkCompareFolder(compareFolder(other)); // stopped while it packed
  writeFileSync(join(other, "letter.txt"), "");
  expect(() => checkCompareFolder(compareFolder(other))).toThrow("no comparison");
  expect(() => checkCompareFolder(compareFolder(join(other, "letter.txt")))).toThrow("is a file");
});
