import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";

import { fileError } from "./fileError.ts";

function tryToMake(path: string): NodeJS.ErrnoException | undefined {
  try {
    mkdirSync(path);
    return undefined;
  } catch (error) {
    const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
    return isFolder ? undefined : (error as NodeJS.ErrnoException);
  }
}

/** `makeFolder` with the system's errors; a file on the way is `ENOTDIR`, wherever it stands. */
export function makeFolders(path: string): void {
  let failure = tryToMake(path);
  const parent = dirname(path);
  if (failure?.code === "ENOENT" && parent !== path) {
    makeFolders(parent);
    failure = tryToMake(path);
  }
  if (failure?.code === "EEXIST") failure.code = "ENOTDIR";
  if (failure !== undefined) throw failure;
}

/**
 * Makes a folder and those on the way to it, where they are not there yet.
 *
 * Node's own recursive `mkdir` says of a read-only disk that there is no such file; this tells what failed.
 */
export function makeFolder(path: string): void {
  try {
    makeFolders(path);
  } catch (error) {
    throw fileError(error, "make", path);
  }
}
