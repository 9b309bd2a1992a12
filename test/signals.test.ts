import { spawn } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { expect, test } from "vitest";

const built = join(import.meta.dirname, "..", process.env.CONTRAPOSE_DIST ?? "dist");
const module = pathToFileURL(join(built, "cli/interruption.js")).href;

/** Runs code beside `interruption` until it says "now", then sends a signal; how and how soon it ended. */
function endedBy(signal: NodeJS.Signals, code: string) {
  const text = `
    import { interruption } from ${JSON.stringify(module)};
    const { signal, saves, code } = interruption({ note: () => undefined });
    const busy = () => { for (;;); };
    ${code}`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", text]);
  let sent = 0;
  child.stdout.once("data", () => {
    sent = performance.now();
    child.kill(signal);
  });
  return new Promise<{ code: number | null; signal: string | null; seconds: number }>((resolve) => {
    child.on("exit", (status, by) => {
      resolve({ code: status, signal: by, seconds: (performance.now() - sent) / 1000 });
    });
  });
}

const stopped = `signal.addEventListener("abort", () => setTimeout(() => process.exit(code()), 50));`;

test("a signal ends a process that is busy at once, also where it saved itself before", async () => {
  const ends = await Promise.all([
    endedBy("SIGTERM", `console.log("now"); busy();`),
    endedBy("SIGINT", `saves(true); saves(false); console.log("now"); setTimeout(busy, 10);`),
  ]);
  expect(ends.map(({ signal }) => signal)).toEqual(["SIGTERM", "SIGINT"]);
  for (const { seconds } of ends) expect(seconds).toBeLessThan(3);
});

test("work that saves itself is told and ends with 130 or 143, within five seconds even where it never does", async () => {
  const wait = `saves(true); console.log("now"); setInterval(() => undefined, 1000);`;
  const ends = await Promise.all([
    endedBy("SIGINT", stopped + wait),
    endedBy("SIGTERM", stopped + wait),
    endedBy("SIGTERM", `signal.addEventListener("abort", busy); ${wait}`),
  ]);
  expect(ends.map(({ code, signal }) => code ?? signal)).toEqual([130, 143, "SIGTERM"]);
  expect(ends[2].seconds).toBeLessThan(5);
});
