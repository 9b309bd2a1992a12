import type { Boxes, ViewLoader } from "../views/index.ts";

/** Batches in order, from a step on. */
export type Batches = Pick<ViewLoader, "next" | "waitedMs" | "close">;

/** Batches of a run. `reopen` goes on from another step, with other boxes of the images. */
export type RunLoader = Batches & {
  reopen(step: number, boxes: Boxes | undefined): Promise<void>;
};

/** Opens the batches of a run from a step on. Batches made ahead are lost where it is opened anew. */
export function openRunLoader(
  open: (step: number, boxes: Boxes | undefined) => Batches,
  step: number,
  boxes: Boxes | undefined,
): RunLoader {
  let loader = open(step, boxes);
  let before = 0; // milliseconds waited for loaders that are closed
  return {
    next: () => loader.next(),
    get waitedMs() {
      return before + loader.waitedMs;
    },
    async reopen(from, other) {
      before += loader.waitedMs;
      await loader.close();
      loader = open(from, other);
    },
    close: () => loader.close(),
  };
}
