import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, expect, test } from "vitest";

import { openAppendLog } from "./appendLog.ts";

const folder = mkdtempSync(join(tmpdir(), "contrapose-log-"));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("what was written after the agreed length is cut off, and a shorter file is an error", () => {
  const path = join(folder, "metrics.jsonl");
  const first = openAppendLog(path, 0);
  first.append('{"step":0}');
  const length = first.flush();
  first.append('{"step":1}');
  first.append('{"st'); // the process was killed here
  first.close();
  const second = openAppendLog(path, length);
  second.append('{"step":1}');
  second.close();
  expect(readFileSync(path, "utf8")).toBe('{"step":0}\n{"step":1}\n');
  expect(() => openAppendLog(path, 1000)).toThrow("expected at least the 1000 written");
});
