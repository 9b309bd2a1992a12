import { dirname, join, resolve } from "node:path";

import { type Images, openImages } from "../../inference/index.ts";
import { count } from "../format.ts";
import type { Call } from "../verb.ts";

/** Where packed forms are kept for a run or a file in a folder of results. */
export const cacheFor = (beside: string): string => join(dirname(resolve(beside)), ".packed");

/** Opens images with progress on the terminal. */
export async function openWithProgress(
  path: string,
  cache: string,
  { printer, signal }: Pick<Call, "printer" | "signal">,
  imageSize?: number,
): Promise<Images> {
  const { dim } = printer.colours;
  return openImages(path, {
    ...{ cache, imageSize, signal },
    note: (text) => printer.note(text),
    progress: (done, total) => {
      const of = total === undefined ? "" : ` of ${count(total)}`;
      printer.redraw(dim(`packing ${count(done)}${of} images`));
    },
  });
}

/** Redraws how far something is; on a terminal only. */
export function progressOf({ printer }: Pick<Call, "printer">) {
  const { dim } = printer.colours;
  let at = 0;
  return (what: string, done: number, total: number) => {
    const now = performance.now();
    if (now - at < 100 && done < total) return;
    at = now;
    printer.redraw(dim(`${what}: ${count(done)} of ${count(total)} images`));
  };
}
