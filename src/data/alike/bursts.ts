import type { StoredImage } from "../packed/packedIndex.ts";

type Timed = Pick<StoredImage, "path" | "taken" | "modified">;

const TAKEN_WITHIN = 3000; // milliseconds by the camera's clock
const SAVED_WITHIN = 2000; // milliseconds between files of neighbouring numbers
const COPIED_WITHIN = 10_000; // files usually this near in time were copied or made in one go

/** A file name's last number and the text around it. */
function numbered(path: string): { stem: string; number: number } | undefined {
  const match = /^(.*?)(\d{1,15})(\D*)$/.exec(path);
  return match === null ? undefined : { stem: `${match[1]}*${match[3]}`, number: Number(match[2]) };
}

function groupBy<T>(values: readonly T[], key: (value: T) => string | undefined): T[][] {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const name = key(value);
    if (name === undefined) continue;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [value]);
    else group.push(value);
  }
  return [...groups.values()];
}

const folderOf = (path: string) => path.slice(0, path.lastIndexOf("/") + 1);

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
}

/** Neighbours by the camera's clock, within each folder. */
function* takenTogether(images: readonly Timed[]): Generator<[number, number]> {
  const timed = images.flatMap(({ path, taken }, index) =>
    taken === undefined ? [] : [{ index, taken, folder: folderOf(path) }],
  );
  for (const group of groupBy(timed, ({ folder }) => folder)) {
    group.sort((a, b) => a.taken - b.taken || a.index - b.index);
    for (let i = 1; i < group.length; i++) {
      const [before, after] = [group[i - 1], group[i]];
      if (after.taken - before.taken <= TAKEN_WITHIN) yield [before.index, after.index];
    }
  }
}

/** Neighbours by number whose files are of one moment, where the files' times tell moments apart. */
function* savedTogether(images: readonly Timed[]): Generator<[number, number]> {
  const named = images.flatMap(({ path, taken, modified }, index) => {
    const name = numbered(path);
    if (name === undefined || taken !== undefined || modified === undefined) return [];
    return [{ index, modified, ...name }];
  });
  for (const group of groupBy(named, ({ stem }) => stem)) {
    group.sort((a, b) => a.number - b.number || a.index - b.index);
    const gaps = group.slice(1).map((image, i) => Math.abs(image.modified - group[i].modified));
    if (median(gaps) <= COPIED_WITHIN) continue;
    for (let i = 1; i < group.length; i++) {
      const [before, after] = [group[i - 1], group[i]];
      const near = after.number - before.number <= 2 && gaps[i - 1] <= SAVED_WITHIN;
      if (near) yield [before.index, after.index];
    }
  }
}

/**
 * Pairs of pictures that may be of one burst: taken within three seconds of each other by EXIF, or, of
 * files without EXIF times, numbered side by side and saved within two seconds.
 *
 * Whether they look alike is for the caller to see.
 */
export function* burstCandidates(images: readonly Timed[]): Generator<[number, number]> {
  yield* takenTogether(images);
  yield* savedTogether(images);
}
