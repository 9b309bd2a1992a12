import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

import { expect, test } from "vitest";

const fuzz = fileURLToPath(new URL("../bench/fuzz.mjs", import.meta.url));

test("damaged input to every reader is a value or an error of our own (needs npm run build)", () => {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [fuzz, "--calls", "1500", "--seed", "7"],
    { encoding: "utf8", timeout: 60_000 },
  );
  expect(stderr).toBe("");
  const summary = /(\d+) calls of (\d+) targets, (\d+) faults/.exec(stdout);
  expect(summary, stdout).not.toBeNull();
  const [calls, targets, faults] = summary!.slice(1).map(Number);
  expect(targets).toBeGreaterThanOrEqual(30);
  expect(calls).toBeGreaterThanOrEqual(1500);
  expect([faults, status], stdout).toEqual([0, 0]);
}, 60_000);
