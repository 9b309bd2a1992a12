import { readFile, rm, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0); // signal 0 only asks
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

async function tryToTake(path: string): Promise<boolean> {
  try {
    await writeFile(path, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

/** Runs something while no other process of this machine does it under the same lock; a lock whose process is gone is taken. */
export async function withLock<T>(path: string, run: () => Promise<T>): Promise<T> {
  while (!(await tryToTake(path))) {
    const owner = Number(await readFile(path, "utf8").catch(() => ""));
    if (owner > 0 && !isRunning(owner)) await rm(path, { force: true });
    else await sleep(100);
  }
  try {
    return await run();
  } finally {
    await rm(path, { force: true });
  }
}
