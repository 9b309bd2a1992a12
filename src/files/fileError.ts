import { ContraposeError, DataError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";

type Explanation = { readonly what: string; readonly hint: string };

const explanations: Record<string, Explanation> = {
  ENOSPC: { what: "the disk is full", hint: "free some space or choose another disk" },
  EDQUOT: { what: "the disk quota is used up", hint: "free some space or choose another disk" },
  EFBIG: { what: "the file is larger than allowed here", hint: "choose another disk" },
  EACCES: { what: "permission denied", hint: "check who owns the file and its folder" },
  EPERM: { what: "the operation is not permitted", hint: "check who owns the file and its folder" },
  EROFS: { what: "the disk is read-only", hint: "choose a place that can be written" },
  ENOTDIR: {
    what: "a part of the path is a file, expected a folder",
    hint: "check the path, or choose another",
  },
  EISDIR: { what: "it is a folder, expected a file", hint: "give the name of a file" },
  EEXIST: { what: "something of that name exists already", hint: "choose another name" },
  ENOTEMPTY: { what: "the folder is not empty", hint: "choose another name" },
  ENOENT: { what: "it does not exist", hint: "check the path" },
  ENAMETOOLONG: { what: "the name is too long", hint: "choose a shorter name" },
  ELOOP: { what: "its symbolic links go in a circle", hint: "check the links on the path" },
  EMFILE: { what: "too many files are open", hint: "raise the limit with ulimit -n" },
  ENFILE: { what: "too many files are open on this machine", hint: "close other programs" },
  EBUSY: { what: "it is in use", hint: "close the program that uses it" },
  EXDEV: { what: "it is on another disk than its folder", hint: "choose another place" },
  EIO: { what: "the disk reported an input/output error", hint: "check the disk" },
};

/**
 * A failed system call on a file as one sentence: `cannot write "out/x": the disk is full`.
 *
 * Errors thrown on purpose come back as they are, and so does whatever is no system error.
 */
export function fileError(error: unknown, verb: string, path: string): unknown {
  if (error instanceof ContraposeError || !(error instanceof Error)) return error;
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) return error;
  const known = explanations[code] as Explanation | undefined;
  const what = known?.what ?? `${syscall} failed with ${code}`;
  return new DataError(`cannot ${verb} ${quoted(path)}: ${what}`, known?.hint, {
    cause: error,
  });
}

/** Runs something that touches a file, its system errors as `fileError` tells them. */
export async function explained<T>(verb: string, path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw fileError(error, verb, path);
  }
}
