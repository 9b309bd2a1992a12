import { ContraposeError } from "./errors.ts";

/** What is told of long work while it goes on, and what stops it. */
export type WorkCalls = {
  readonly progress?: ((done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
};

const TURN = 50; // milliseconds of work between two turns of everything else

/**
 * A function to be awaited between the steps of long work. Now and then it lets timers, input and signals
 * have their turn; it throws once `signal` is aborted.
 *
 * @param what the work, as the error names it
 */
export function pauses(what: string, signal?: AbortSignal): () => Promise<void> {
  let at = performance.now();
  return async () => {
    if (performance.now() - at >= TURN) {
      await new Promise((resolve) => setTimeout(resolve));
      at = performance.now();
    }
    if (signal?.aborted === true) throw new ContraposeError(`${what} was interrupted`);
  };
}
