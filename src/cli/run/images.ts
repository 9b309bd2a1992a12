import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

import { type Images, openImages, type OpenImagesOptions } from "../../inference/index.ts";
import { count } from "../format.ts";
import type { Call } from "../verb.ts";

/** Where packed forms are kept: beside the run that a path is or lies in, else beside the path. */
export function cacheFor(path: string): string {
  let at = resolve(path);
  for (let up = 0; up < 4 && !existsSync(join(at, "config.json")); up++) at = dirname(at);
  const beside = existsSync(join(at, "config.json")) ? at : resolve(path);
  return join(dirname(beside), ".packed");
}

/** Opens images with progress on the terminal. */
export async function openWithProgress(
  path: string,
  cache: string,
  { printer, signal }: Pick<Call, "printer" | "signal">,
  options: Pick<OpenImagesOptions, "imageSize" | "split" | "groups"> = {},
): Promise<Images> {
  const { dim } = printer.colours;
  return openImages(path, {
    ...{ ...options, cache, signal },
    note: (text) => printer.note(text),
    progress: (done, total) => {
      const of = total === undefined ? "" : ` of ${count(total)}`;
      printer.redraw(dim(`packing ${count(done)}${of} images`));
    },
  });
}

/** Redraws how far something is, in images or what `things` says; on a terminal only. */
export function progressOf({ printer }: Pick<Call, "printer">) {
  const { dim } = printer.colours;
  let at = 0;
  return (what: string, done: number, total: number, things = "images") => {
    const now = performance.now();
    if (now - at < 100 && done < total) return;
    at = now;
    printer.redraw(dim(`${what}: ${count(done)} of ${count(total)} ${things}`));
  };
}
