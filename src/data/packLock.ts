import { open, readFile, rm, stat, utimes } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { DataError } from "../core/errors.ts";
import { explained } from "../files/index.ts";

const lockName = "pack.lock";
const HEARTBEAT = 5000; // milliseconds
const PATIENCE = 15_000; // milliseconds; a packing that finds nothing new is through long before

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
  if (host !== hostname()) {
    // Of another machine, or about to be written: alive as long as it is touched.
    const found = await stat(path).catch(() => undefined);
    return found === undefined || Date.now() - found.mtimeMs > 6 * HEARTBEAT;
  }
  // A lock of our own number was left by an earlier process of that number.
  return Number(pid) === process.pid || !isRunning(Number(pid));
}

/**
 * Keeps other processes from packing into a folder, after waiting a little where one is at it.
 *
 * @returns the function that lets them again
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, lockName);
  const started = performance.now();
  for (;;) {
    try {
      const file = await open(path, "wx");
      held.add(path);
      await file.writeFile(`${hostname()}\n${process.pid}\n`).finally(() => file.close());
      const touch = () => void utimes(path, new Date(), new Date()).catch(() => undefined);
      const heart = setInterval(touch, HEARTBEAT).unref();
      return async () => {
        clearInterval(heart);
        held.delete(path);
        await rm(path, { force: true });
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") {
        return explained("write", path, () => Promise.reject(error as Error));
      }
    }
    if (await isStale(path)) await rm(path, { force: true });
    else if (performance.now() - started < PATIENCE) await pause(200);
    else {
      throw new DataError(
        `pack: ${JSON.stringify(folder)} is being packed by another process`,
        `wait for it; if none is running, delete ${path}`,
      );
    }
  }
}
