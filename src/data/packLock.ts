import { open, readFile, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";

import { DataError } from "../core/errors.ts";
import { explained } from "../files/index.ts";

const lockName = "pack.lock";

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0); // signal 0 only asks
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

const held = new Set<string>(); // locks of this process

async function isStale(path: string): Promise<boolean> {
  if (held.has(path)) return false;
  const [host, pid] = (await readFile(path, "utf8").catch(() => "")).trim().split("\n");
  if (host === "") {
    const found = await stat(path).catch(() => undefined);
    return found === undefined || Date.now() - found.mtimeMs > 10_000; // else about to be written
  }
  // A lock of our own number was left by an earlier process of that number.
  return host !== hostname() || Number(pid) === process.pid || !isRunning(Number(pid));
}

/** Keeps other processes from packing into a folder. Gives the function that lets them again. */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, lockName);
  for (let attempt = 0; ; attempt++) {
    try {
      const file = await open(path, "wx");
      held.add(path);
      await file.writeFile(`${hostname()}\n${process.pid}\n`).finally(() => file.close());
      return async () => {
        held.delete(path);
        await rm(path, { force: true });
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") {
        return explained("write", path, () => Promise.reject(error as Error));
      }
    }
    if (attempt > 2 || !(await isStale(path))) {
      throw new DataError(
        `pack: ${JSON.stringify(folder)} is being packed by another process`,
        `wait for it; if none is running, delete ${path}`,
      );
    }
    await rm(path, { force: true });
  }
}
