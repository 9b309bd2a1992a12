import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { ConfigError, DataError } from "../core/errors.ts";
import { lock, lockHolder } from "./lock.ts";

let folder = "";
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "contrapose-lock-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const base = () => join(folder, "runs/a/run");
const what = "it is being trained";
const leave = (owner: string) => writeFileSync(`${base()}.lock.${owner}`, "");
const host = encodeURIComponent(hostname());

test("a place is one process's until it is released, and a folder made for the lock goes with it", async () => {
  const held = await lock(base(), { what });
  expect(lockHolder(base())).toBe(process.pid);
  const refused = await lock(base(), { what }).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(ConfigError);
  expect((refused as Error).message).toBe(`it is being trained by process ${process.pid}`);
  held.release();
  expect(lockHolder(base())).toBeUndefined();
  expect(existsSync(join(folder, "runs/a"))).toBe(false);
  (await lock(base(), { what })).release();
});

test("the lock of a process that is gone is taken over with a word, also where its number is in use again", async () => {
  const gone = spawn(process.execPath, ["--version"]);
  await new Promise((resolve) => gone.on("exit", resolve));
  const kept = await lock(join(folder, "runs/a/other"), { what });
  leave(`${gone.pid}.1-0@${host}`);
  leave(`${process.ppid}.1-0@${host}`); // runs, but started at another time
  const notes: string[] = [];
  const held = await lock(base(), { what, note: (text) => notes.push(text) });
  expect(notes.sort()).toEqual(
    [gone.pid, process.ppid]
      .map((pid) => `took over the lock of process ${pid}, which is gone`)
      .sort(),
  );
  expect(readdirSync(join(folder, "runs/a"))).toHaveLength(2);
  held.release();
  kept.release();
});

test("a process of another machine holds a place as long as it touches its lock", async () => {
  const kept = await lock(join(folder, "runs/a/other"), { what });
  leave("7.5-0@elsewhere");
  await expect(lock(base(), { what })).rejects.toThrow("by process 7 on elsewhere");
  kept.release();
});

test("a folder that was removed while it is held is an error at the next write", async () => {
  const held = await lock(base(), { what });
  held.check();
  rmSync(join(folder, "runs"), { recursive: true });
  expect(() => held.check()).toThrow(DataError);
  held.release();
});

const built = join(import.meta.dirname, "../../dist/files/index.js");

test.skipIf(!existsSync(built))(
  "one of many processes at once has a place (needs npm run build)",
  async () => {
    const file = JSON.stringify(built);
    const log = join(folder, "log");
    const code = `
    import { lock } from ${file};
    import { appendFileSync } from "node:fs";
    for (let i = 0; i < 5; i++) {
      const held = await lock(${JSON.stringify(base())}, { what: "busy", patience: 60 });
      appendFileSync(${JSON.stringify(log)}, "in\\n");
      await new Promise((resolve) => setTimeout(resolve, 3));
      appendFileSync(${JSON.stringify(log)}, "out\\n");
      held.release();
      await new Promise((resolve) => setTimeout(resolve, 10 * Math.random()));
    }`;
    const ends = Array.from({ length: 3 }, () => {
      const child = spawn(process.execPath, ["--input-type=module", "--eval", code], {
        stdio: ["ignore", "ignore", "inherit"],
      });
      return new Promise((resolve) => child.on("exit", resolve));
    });
    expect(await Promise.all(ends)).toEqual([0, 0, 0]);
    expect(readFileSync(log, "utf8")).toBe("in\nout\n".repeat(15));
  },
);
