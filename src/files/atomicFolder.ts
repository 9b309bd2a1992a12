import { lstat, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

import { DataError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";
import { syncFolder } from "./atomic.ts";
import { explained } from "./fileError.ts";
import { makeFolders } from "./makeFolder.ts";
import { removeStale, temporariesOf, temporaryFor } from "./temporary.ts";

async function syncFile(path: string): Promise<void> {
  const file = await open(path, "r+");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncTree(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await syncTree(path);
    else if (entry.isFile()) await syncFile(path);
  }
  await syncFolder(folder);
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

async function newest(paths: string[]): Promise<string | undefined> {
  const times = await Promise.all(paths.map(async (path) => (await lstat(path)).mtimeMs));
  return paths.at(times.indexOf(Math.max(...times)));
}

/** Puts the newest of `old` in the place of a folder that is not there. Another process may do the same. */
async function putBack(old: string[], path: string): Promise<boolean> {
  const kept = await newest(old).catch(() => undefined);
  if (kept === undefined) return isFolder(path);
  try {
    await rename(kept, path);
    await syncFolder(dirname(path));
    return true;
  } catch (error) {
    if (await isFolder(path)) return true; // put there in the meantime
    throw error;
  }
}

async function recover(path: string): Promise<boolean> {
  const old = (await temporariesOf(path, "old")).map((temporary) => temporary.path);
  const present = (await isFolder(path)) || (await putBack(old, path));
  if (present) for (const spare of old) await rm(spare, { recursive: true, force: true });
  await removeStale(path);
  return present;
}

/**
 * Repairs a folder whose replacement was cut short, and tells whether it is there: call it before reading.
 *
 * A process killed between the two renames of `writeFolderAtomic` leaves the earlier folder whole
 * under a hidden name beside its place; it is put back.
 */
export async function recoverFolder(path: string): Promise<boolean> {
  return explained("open", path, () => recover(resolve(path)));
}

async function place(temporary: string, target: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const replaced = await isFolder(target);
    const old = temporaryFor(target, "old");
    if (replaced) await rename(target, old);
    try {
      await rename(temporary, target);
    } catch (error) {
      if (replaced && !(await isFolder(target))) await rename(old, target);
      const filled = ["ENOTEMPTY", "EEXIST"].includes((error as NodeJS.ErrnoException).code ?? "");
      if (filled && attempt < 3) continue; // a reader put the earlier folder back in between
      throw error;
    }
    await syncFolder(dirname(target));
    await rm(old, { recursive: true, force: true });
    return;
  }
}

/** An error about a file in the temporary folder, as one about the file it was to become. */
function renamed(error: unknown, temporary: string, path: string): unknown {
  if (!(error instanceof DataError) || !error.message.includes(temporary)) return error;
  const message = error.message.replaceAll(temporary, path);
  return new DataError(message, error.hint, { cause: error });
}

/**
 * Writes a folder whole or not at all, in the place of an earlier one if there is one.
 *
 * `fill` gets a temporary folder beside `path`. When it is through, every file and folder in it is
 * flushed to the disk, the earlier folder is moved aside, the new one moved in, the earlier one
 * removed. Readers call `recoverFolder` first: it undoes a replacement cut short in the middle.
 */
export async function writeFolderAtomic<T>(
  path: string,
  fill: (folder: string) => Promise<T>,
): Promise<T> {
  const target = resolve(path);
  const safely = <R>(run: () => Promise<R>) => explained("write", path, run);
  const temporary = temporaryFor(target, "part");
  await safely(async () => {
    makeFolders(dirname(target));
    const there = await recover(target);
    const found = there ? undefined : await lstat(target).catch(() => undefined);
    if (found !== undefined) {
      throw new DataError(
        `cannot write ${quoted(path)}: it is a file, expected a folder or nothing`,
        "choose another name",
      );
    }
    await mkdir(temporary);
  });
  try {
    const result = await safely(() => fill(temporary)).catch((error: unknown) => {
      throw renamed(error, temporary, path);
    });
    await safely(async () => {
      await syncTree(temporary);
      await place(temporary, target);
    });
    return result;
  } finally {
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
  }
}
