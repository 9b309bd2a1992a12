import { dirname, resolve } from "node:path";

import { quoted } from "../../core/quote.ts";
import type { InputFormat } from "../../inference/index.ts";
import {
  type Images,
  openImages,
  type OpenImagesOptions,
  packedIn,
} from "../../inference/openImages.ts"; // not the index: dedupe starts without the engine
import { isRun } from "../../train/run/runFolder.ts";
import { count } from "../format.ts";
import type { Call } from "../verb.ts";

type Asked = Pick<Call, "options">;

/** Where packed forms are kept: as --cache says, else in a folder. */
export const cacheIn = ({ options: { cache } }: Asked, folder: string): string =>
  typeof cache === "string" ? cache : packedIn(folder);

/** Where packed forms are kept: as --cache says, else beside the run that a path is or lies in, else in a folder. */
export function cacheFor(asked: Asked, path: string, folder = "."): string {
  let at = resolve(path);
  for (let up = 0; up < 4 && !isRun(at); up++) at = dirname(at);
  return cacheIn(asked, isRun(at) ? dirname(at) : folder);
}

/** Opens images with progress on the terminal. */
export async function openWithProgress(
  path: string,
  cache: string,
  { printer, signal }: Pick<Call, "printer" | "signal">,
  options: Pick<
    OpenImagesOptions,
    "imageSize" | "split" | "groups" | "labels" | "ranges" | "memory"
  > = {},
): Promise<Images> {
  const { dim } = printer.colours;
  return openImages(path, {
    ...options,
    cache,
    signal,
    note: (text) => printer.note(text),
    progress: (done, total) => {
      const of = total === undefined ? "" : ` of ${count(total)}`;
      printer.redraw(dim(`packing ${count(done)}${of} images`));
    },
  });
}

const SMALL = 96; // pixels: a photograph shows little on fewer

/** Says where an encoder sees less of images than there is: photographs at a small size, or stored images instead of files. */
export function noteInput(
  { originals, originalShortSide, dataset, path }: Images,
  { imageSize, crop }: InputFormat,
  { printer }: Pick<Call, "printer">,
): void {
  if (imageSize < SMALL && originalShortSide > SMALL) {
    printer.note(
      `note       the encoder looks at ${imageSize} px of images of ${count(originalShortSide)} px; a pretrained one sees photographs better: contrapose list starts`,
    );
  }
  if (crop !== undefined && originals === undefined) {
    const { size } = dataset.header.settings;
    printer.note(
      `note       ${quoted(path)} is packed: images stored at ${count(size)} px are resized once more; the image files themselves give what the encoder was made for`,
    );
  }
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

const MEGABYTE = 1e6;

/** Redraws how far a download is, with its speed, and says when it is done. */
export function fetchingOf({ printer, signal }: Pick<Call, "printer" | "signal">) {
  const { dim } = printer.colours;
  const begun = new Map<string, { at: number; from: number }>();
  let drawn = 0;
  return {
    signal,
    progress(file: string, done: number, total: number | undefined) {
      const now = performance.now();
      const { at, from } = begun.get(file) ?? { at: now, from: done };
      begun.set(file, { at, from });
      const size = (bytes: number) => (bytes / MEGABYTE).toFixed(1);
      const of = total === undefined ? "" : ` of ${size(total)}`;
      if (total !== undefined && done >= total) {
        printer.note(`fetched    ${file}, ${size(done)} MB`);
      } else if (now - drawn > 100) {
        drawn = now;
        const speed = size((done - from) / Math.max(0.001, (now - at) / 1000));
        printer.redraw(dim(`fetching ${file}: ${size(done)}${of} MB, ${speed} MB/s`));
      }
    },
  };
}
