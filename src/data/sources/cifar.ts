import { readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import { DataError } from "../../core/errors.ts";
import type { PixelImage } from "../../core/pixels.ts";
import { quoted } from "../../core/quote.ts";
import { explained } from "../../files/index.ts";
import { chooseFiles, recordEntries } from "./recordFiles.ts";
import type { RecordEntry } from "./recordFiles.ts";
import { readRecords } from "./records.ts";
import type { ImageSource, Skipped, SourceOptions } from "./source.ts";

const SIDE = 32;
const PLANE = SIDE * SIDE;
const PIXELS = 3 * PLANE;

/** Red, green and blue planes of a record to rows of pixels. */
function fromPlanes(planes: Uint8Array): PixelImage {
  const data = new Uint8Array(PIXELS); // [SIDE, SIDE, 3]
  for (let i = 0, at = 0; i < PLANE; i++) {
    data[at++] = planes[i];
    data[at++] = planes[PLANE + i];
    data[at++] = planes[2 * PLANE + i];
  }
  return { width: SIDE, height: SIDE, channels: 3, data };
}

/** Lines of the first file that is there; line i names class i, so an empty one stays, but at the end. */
async function readNames(folder: string, names: readonly string[]): Promise<string[] | undefined> {
  for (const name of names) {
    const text = await readFile(join(folder, name), "utf8").catch(() => undefined);
    if (text === undefined) continue;
    const lines = text
      .trimEnd()
      .split(/\r?\n/)
      .map((line) => line.trim());
    const unnamed = lines.indexOf("");
    if (unnamed === -1) return lines;
    throw new DataError(
      `${quoted(join(folder, name))} has no name in line ${unnamed + 1}, expected one for each class`,
      "remove the empty line, or name the class",
    );
  }
  return undefined;
}

/** Label bytes of a record, from the length of a file: 1 (CIFAR-10), 2 (CIFAR-100: coarse, fine), 0 for neither. */
export async function cifarLabelBytes(path: string): Promise<0 | 1 | 2> {
  const { size } = await explained("read", path, () => stat(path));
  const [ten, hundred] = [1, 2].map((bytes) => size > 0 && size % (PIXELS + bytes) === 0);
  if (ten && hundred) {
    const fine = await readNames(dirname(path), ["fine_label_names.txt"]);
    return fine === undefined ? 1 : 2;
  }
  return ten ? 1 : hundred ? 2 : 0;
}

/** Whether a file has the name of one of the published CIFAR files, as one that was cut short still has. */
export const isCifarName = (path: string): boolean =>
  /^(data_batch_\d+|test_batch|train|test)\.bin$/i.test(basename(path));

const otherLabel = (file: string, index: number, label: number, classes: readonly string[]) =>
  new DataError(
    `record ${index} of ${quoted(file)} has the label ${label}, expected 0 to ${classes.length - 1}, one of ${classes.length} classes`,
    "the file is damaged or of another format, or the file of names beside it is of another",
  );

const nameFiles = { 1: ["batches.meta.txt"], 2: ["fine_label_names.txt"] } as const;

/**
 * CIFAR-10 or CIFAR-100 in its binary form: files of records of a label byte (CIFAR-100: coarse label,
 * fine label) and 32 × 32 pixels in planes of red, green and blue. Classes are named by
 * batches.meta.txt or fine_label_names.txt beside them.
 *
 * @param path of the folder, or of one file
 * @param files of which `cifarLabelBytes` is not 0 for one at least; where it is 0 a file was cut short
 */
export async function cifarSource(
  path: string,
  files: readonly string[],
  options: SourceOptions = {},
): Promise<ImageSource> {
  const { kept, about } = chooseFiles(path, files, options);
  const found = await Promise.all(kept.map(cifarLabelBytes));
  const whole = found.find((bytes) => bytes > 0) ?? 1;
  const labelBytes = found.map((bytes) => (bytes === 0 ? whole : bytes));
  const sizes = await Promise.all(kept.map(async (file) => (await stat(file)).size));
  const coarse = labelBytes.includes(2);
  const folder = dirname(files[0]);
  const given = await readNames(folder, nameFiles[coarse ? 2 : 1]);
  const classes = given ?? Array.from({ length: coarse ? 100 : 10 }, (_, i) => String(i));
  const useLabels = options.labels !== "none";
  async function* read(file: string): AsyncGenerator<RecordEntry> {
    const skip = labelBytes[kept.indexOf(file)];
    for await (const { first, bytes } of readRecords(file, 0, () => PIXELS + skip)) {
      for (let at = 0; at < bytes.length; at += PIXELS + skip) {
        const label = bytes[at + skip - 1];
        const planes = bytes.subarray(at + skip, at + skip + PIXELS);
        const index = first + at / (PIXELS + skip);
        if (useLabels && label >= classes.length) throw otherLabel(file, index, label, classes);
        yield {
          index,
          ...(useLabels ? { label: classes[label] } : {}),
          size: PIXELS,
          load: () => Promise.resolve({ image: fromPlanes(planes) }),
        };
      }
    }
  }
  const count = sizes.reduce(
    (sum, size, i) => sum + Math.floor(size / (PIXELS + labelBytes[i])),
    0,
  );
  const entries = (skip: (skipped: Skipped) => void) => recordEntries(path, kept, read, skip);
  const named = useLabels ? { classes } : {};
  return { kind: "cifar", path, count, ...named, ...about, entries };
}
