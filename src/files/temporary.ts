import { randomBytes } from "node:crypto";
import { lstat, readdir, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import { isRunning } from "./isRunning.ts";

/** Name beside `path` for what is not finished (`part`) or about to go (`old`): `.name.123-9f86d081.part`. */
export function temporaryFor(path: string, ending: "part" | "old"): string {
  const mark = `${process.pid}-${randomBytes(4).toString("hex")}`;
  return join(dirname(path), `.${basename(path)}.${mark}.${ending}`);
}

/** Paths of the temporaries that stand beside `path` for it, with the number of the process that made each. */
export async function temporariesOf(
  path: string,
  ending: "part" | "old",
): Promise<{ path: string; pid: number }[]> {
  const start = `.${basename(path)}.`;
  const names = await readdir(dirname(path)).catch(() => []);
  return names.flatMap((name) => {
    if (!name.startsWith(start)) return [];
    const mark = /^(\d+)-[0-9a-f]{8}\.(part|old)$/.exec(name.slice(start.length));
    if (mark === null || mark[2] !== ending) return [];
    return [{ path: join(dirname(path), name), pid: Number(mark[1]) }];
  });
}

/** Whether nobody works on a temporary any more: its process is gone, or had this process's number before. */
async function isStale(temporary: { path: string; pid: number }): Promise<boolean> {
  if (temporary.pid !== process.pid) return !isRunning(temporary.pid);
  const found = await lstat(temporary.path).catch(() => undefined);
  return found !== undefined && found.mtimeMs < performance.timeOrigin;
}

/** Removes what processes that were killed left beside `path`. Never fails. */
export async function removeStale(path: string): Promise<void> {
  for (const temporary of await temporariesOf(path, "part")) {
    if (!(await isStale(temporary))) continue;
    await rm(temporary.path, { recursive: true, force: true }).catch(() => undefined);
  }
}
