import { ConfigError, ContraposeError, DataError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";

/** An error about a file that did not name it, named; others as they are. */
function named(file: string, error: unknown): unknown {
  if (!(error instanceof ContraposeError)) return error;
  const Kind = error instanceof ConfigError ? ConfigError : DataError;
  return new Kind(`${quoted(file)}: ${error.message}`, error.hint, { cause: error });
}

/** Runs something about a file; what it throws names the file. */
export function about<T>(file: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw named(file, error);
  }
}

/** `about` of what takes a while. */
export async function aboutLater<T>(file: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw named(file, error);
  }
}
