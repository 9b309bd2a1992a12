import { expect, test } from "vitest";

import { errorOf } from "./child.ts";

test("how a call ended is said: its own sentence, memory, a signal, a code", () => {
  expect(errorOf("warning x\nerror data: a.png is damaged\nhint y", 2, null)).toBe(
    "data: a.png is damaged",
  );
  expect(errorOf("FATAL ERROR: JavaScript heap out of memory", null, "SIGABRT")).toMatch(
    /^the process ran out of memory/,
  );
  expect(errorOf("", null, "SIGKILL")).toMatch(/was killed \(SIGKILL\), as a system short/);
  expect(errorOf("", null, "SIGSEGV")).toBe("the process ended with SIGSEGV");
  expect(errorOf("", 7, null)).toBe("the process ended with 7");
});
