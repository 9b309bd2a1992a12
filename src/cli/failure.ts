import {
  ConfigError,
  ContraposeError,
  DataError,
  DeviceError,
  ShapeError,
  StoreError,
} from "../core/errors.ts";
import { quoted } from "../core/quote.ts";

/** Exit codes: done, failed, misused; an interrupted command ends with 130 or 143. */
export const DONE = 0;
export const FAILED = 1;
export const MISUSED = 2;

/** A failure as the command line reports it. */
export type Failure = { text: string; hint?: string | undefined; code: number };

type SystemError = NodeJS.ErrnoException & { path?: string; dest?: string };

const places: Record<string, [string, number, string?]> = {
  ENOSPC: ["no space is left on the disk", FAILED, "free some space; what was complete is kept"],
  EDQUOT: ["the disk quota is used up", FAILED, "free some space; what was complete is kept"],
  EROFS: ["the place is read-only", MISUSED, "choose another place with --out"],
  EACCES: ["permission is denied", MISUSED],
  EPERM: ["permission is denied", MISUSED],
  ENOENT: ["there is no such file or folder", MISUSED],
  ENOTDIR: ["a part of the path is a file, not a folder", MISUSED],
  EISDIR: ["it is a folder, expected a file", MISUSED],
  EIO: ["the disk reported an error", FAILED],
  EMFILE: ["too many files are open", FAILED],
};

function systemFailure(error: SystemError): Failure | undefined {
  const known = places[error.code ?? ""];
  if (known === undefined || error.syscall === undefined) return undefined;
  const [why, code, hint] = known;
  const path = error.dest ?? error.path;
  return {
    text: `${path === undefined ? error.syscall : quoted(path)}: ${why}`,
    hint,
    code,
  };
}

function causeOf(error: unknown): Failure | undefined {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    const failure = systemFailure(at);
    if (failure !== undefined) return failure;
  }
  return undefined;
}

/**
 * What to print for an error, and the exit code: 2 where the user can mend the call, its files or the
 * machine's setup, 1 where the work failed. Anything unforeseen shows where it happened.
 */
export function failureOf(error: unknown): Failure {
  if (error instanceof ContraposeError) {
    const mendable =
      error instanceof ConfigError ||
      error instanceof DataError ||
      error instanceof ShapeError ||
      error instanceof DeviceError ||
      error instanceof StoreError;
    const beneath = causeOf(error.cause);
    const code = beneath?.code === FAILED || !mendable ? FAILED : MISUSED;
    return { text: error.message, hint: error.hint ?? beneath?.hint, code };
  }
  const system = causeOf(error);
  if (system !== undefined) return system;
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { text: `unexpected failure, a fault of contrapose itself: ${stack}`, code: FAILED };
}
