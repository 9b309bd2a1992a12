import { open, realpath, rename, rm, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname } from "node:path";

import { DataError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";
import { explained } from "./fileError.ts";
import { makeFolders } from "./makeFolder.ts";
import { removeStale, temporaryFor } from "./temporary.ts";

/** A file being written beside the place where it will stand. */
export type AtomicFile = {
  /** Adds bytes, or text as UTF-8, at the end. */
  write(content: Uint8Array | string): Promise<void>;
  /** Number of bytes written so far. */
  readonly size: number;
  /** Flushes to the disk and puts the file in its place, over one that stood there. */
  commit(): Promise<void>;
  /** Throws away what was written; what stood in its place stays. Does nothing after `commit`. */
  discard(): Promise<void>;
};

/** Forces a folder's list of names to the disk, where the system can. */
export async function syncFolder(path: string): Promise<void> {
  const unsupported = ["EINVAL", "EISDIR", "EPERM", "ENOTSUP", "EBADF"];
  const tolerate = (error: NodeJS.ErrnoException) => {
    if (!unsupported.includes(error.code ?? "")) throw error;
  };
  const folder = await open(path, "r").catch(tolerate);
  if (folder === undefined) return; // Windows opens no folders
  try {
    await folder.sync().catch(tolerate);
  } finally {
    await folder.close();
  }
}

/** Where a file really goes (through links). Refuses folders, devices and pipes: a rename would replace them. */
async function destination(path: string): Promise<string> {
  const missing = (error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  };
  const found = await stat(path).catch(missing);
  if (found === undefined) {
    makeFolders(dirname(path));
    return path;
  }
  if (found.isFile()) return realpath(path);
  const kind = found.isDirectory() ? "folder" : "device or pipe";
  throw new DataError(
    `cannot write ${quoted(path)}: it is a ${kind}, expected a file`,
    "give the name of a file",
  );
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, at, Math.min(bytes.length - at, 1 << 30));
    at += bytesWritten;
  }
}

/**
 * Starts a file that appears whole at `commit` or not at all, whenever the process or the power goes.
 *
 * It is written beside its place under a temporary name, flushed, then renamed. Missing folders on
 * the way are made. Most callers want `withAtomicFile`, which cannot forget to finish.
 */
export async function atomicStream(path: string): Promise<AtomicFile> {
  const safely = <T>(run: () => Promise<T>) => explained("write", path, run);
  const target = await safely(() => destination(path));
  await removeStale(target);
  const temporary = temporaryFor(target, "part");
  const file = await safely(() => open(temporary, "wx"));
  let size = 0;
  let state: "open" | "done" = "open";
  const discard = async () => {
    if (state === "done") return;
    state = "done";
    await file.close().catch(() => undefined);
    await rm(temporary, { force: true }).catch(() => undefined);
  };
  const commit = async () => {
    if (state === "done") throw new DataError(`${quoted(path)} is finished already`);
    try {
      await safely(async () => {
        await file.sync();
        await file.close();
        await rename(temporary, target);
      });
      state = "done";
      await safely(() => syncFolder(dirname(target)));
    } finally {
      await discard();
    }
  };
  const write = async (content: Uint8Array | string) => {
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    await safely(() => writeAll(file, bytes));
    size += bytes.length;
  };
  return {
    write,
    commit,
    discard,
    get size() {
      return size;
    },
  };
}

/** Writes a file piece by piece; it is in its place when `fill` is through, and unchanged where `fill` fails. */
export async function withAtomicFile<T>(
  path: string,
  fill: (file: Pick<AtomicFile, "write" | "size">) => Promise<T>,
): Promise<T> {
  const file = await atomicStream(path);
  try {
    const result = await fill(file);
    await file.commit();
    return result;
  } finally {
    await file.discard();
  }
}

/** Writes a file whole or not at all. Text is written as UTF-8. */
export async function writeFileAtomic(path: string, content: Uint8Array | string): Promise<void> {
  await withAtomicFile(path, (file) => file.write(content));
}
