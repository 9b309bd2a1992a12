import { readFile, stat } from "node:fs/promises";
import { basename, dirname, join, posix } from "node:path";

import { counted } from "../../core/counted.ts";
import { DataError } from "../../core/errors.ts";
import { quoted } from "../../core/quote.ts";
import { explained } from "../../files/index.ts";
import { decodeLabels, type LabelText } from "./labelText.ts";
import { isLabelFile, joinLabels, readBoxes, readLabels } from "./labelLines.ts";
import type { ImageFacts, LabelLine, LabelTable } from "./labelLines.ts";
import { LARGEST } from "./records.ts";
import { isImageName } from "./walk.ts";

/** A file that may say something of images, read. */
export type BesideFile = LabelText & {
  readonly path: string; // from the source's folder, for messages
  readonly at: string; // folder that its paths start from, within the source: "" or "train/"
  /** What paths of the file begin with where they are of this source; a file above it may speak of others. */
  readonly prefix?: string;
};

/** What all files say of the images, in the order of the paths, and of themselves. */
export type Beside = {
  readonly facts: readonly ImageFacts[];
  /** Sentences about the files of labels. */
  readonly notes: readonly string[];
  /** Whether lines match no image, or a file of labels gives none. */
  readonly warned: boolean;
};

const plain = (path: string) => posix.normalize(path.replaceAll("\\", "/")).normalize("NFC");
const withoutEnding = (path: string) => (isImageName(path) ? path.replace(/\.[^.]+$/, "") : path);

/** Finds an image by what a file calls it: its path, its end where only one has it, with or without an ending. */
function finder(root: string, paths: readonly string[]) {
  const spelled = paths.map(plain);
  const whole = new Map(spelled.map((path, i) => [path, i]));
  const ends = new Map<string, number[]>(); // by file name, with and without its ending
  spelled.forEach((path, i) => {
    const name = posix.basename(path);
    for (const key of new Set([name, withoutEnding(name)])) {
      const list = ends.get(key);
      if (list === undefined) ends.set(key, [i]);
      else list.push(i);
    }
  });
  const home = `${plain(root)}/`;
  const own = `${posix.basename(plain(root))}/`;
  const ending = (given: string, at: string) => {
    const fits = (ends.get(posix.basename(given)) ?? []).filter((i) => {
      const path = isImageName(given) ? spelled[i] : withoutEnding(spelled[i]);
      return path.startsWith(at) && `/${path}`.endsWith(`/${given}`);
    });
    return fits.length === 1 ? fits[0] : undefined;
  };
  return (called: string, at = ""): number | undefined => {
    const given = plain(called);
    const inside = given.startsWith(home) ? given.slice(home.length) : given;
    const exact = whole.get(at + inside) ?? whole.get(inside);
    if (exact !== undefined) return exact;
    const cut = inside.startsWith(own) ? whole.get(inside.slice(own.length)) : undefined;
    return cut ?? ending(inside, at);
  };
}
type Find = ReturnType<typeof finder>;

type Read = { file: BesideFile; table: LabelTable; matched: { line: LabelLine; image: number }[] };

function match({ at, prefix }: BesideFile, lines: readonly LabelLine[], find: Find) {
  return lines.flatMap((line) => {
    if (prefix !== undefined && !plain(line.path).startsWith(prefix)) return [];
    const image = find(line.path, at);
    return image === undefined ? [] : [{ line, image }];
  });
}

const isBoxFile = ({ path }: BesideFile) => basename(path) === "boxes.json";

function readAll(files: readonly BesideFile[], find: Find): Read[] {
  return files.map((file) => {
    const table: LabelTable = isBoxFile(file)
      ? { lines: readBoxes(file.text, file.path), broken: [], odd: 0, lacks: undefined }
      : readLabels(file.text, file.path, (name) => find(name, file.at) !== undefined);
    return { file, table, matched: match(file, table.lines, find) };
  });
}

/** `2 lines are broken or name no image, the first is line 7`; nothing where none is. */
function describeBroken({ broken, odd, open }: LabelTable): string[] {
  const lines =
    broken.length === 1
      ? `line ${broken[0]} is broken or names no image`
      : `${broken.length} lines are broken or name no image, the first is line ${broken[0]}`;
  return [
    ...(broken.length > 0 ? [lines] : []),
    ...(odd > 0 ? [`${counted(odd, "box", "boxes")} left out: no left, top, width, height`] : []),
    ...(open === undefined
      ? []
      : [`a quote opens in line ${open} and does not close: all from there is left out`]),
  ];
}

/** What the files of labels come to, in sentences. */
function describe({ file, table, matched }: Read, used: boolean): string[] {
  const name = quoted(file.path);
  const [one, many] = isBoxFile(file) ? ["box", "boxes"] : ["line", "lines"];
  if (file.prefix !== undefined && matched.length === 0) return []; // it speaks of others
  const broken = [
    ...describeBroken(table),
    ...(file.encoding === undefined ? [] : [`read as ${file.encoding}: it is not UTF-8`]),
  ];
  if (table.lacks !== undefined && !used) return [`${name} ${[table.lacks, ...broken].join(", ")}`];
  const seen = new Set(matched.map(({ line }) => line));
  const own = table.lines.filter(
    ({ path }) => file.prefix === undefined || plain(path).startsWith(file.prefix),
  );
  const lost = own.filter((line) => !seen.has(line));
  const example = lost.length === 0 ? "" : `, as ${quoted(lost[0].path)}`;
  const isLeftOut = !used && matched.some(({ line }) => line.labels.length > 0);
  const said = [
    ...(isLeftOut ? ["not used for labels"] : []),
    ...(lost.length > 0
      ? [
          `${lost.length} of ${counted(own.length, one, many)} ${own.length === 1 ? "matches" : "match"} no image${example}`,
        ]
      : []),
    ...broken,
  ];
  return said.length === 0 ? [] : [`${name}: ${said.join(", ")}`];
}

/** A sentence about images that lines give several labels; none where there are none. */
function describeSeveral(labels: Iterable<readonly string[]>): string[] {
  const several = [...labels].filter((all) => new Set(all).size > 1);
  if (several.length === 0) return [];
  const example = quoted(joinLabels(several[0]), 100);
  return several.length === 1
    ? [`1 image has several labels: a class of their own, as ${example}`]
    : [`${several.length} images have several labels: each combination is a class, as ${example}`];
}

const kindOfFile = ({ path }: BesideFile) => basename(path).toLowerCase();

/** The files of one name that give labels, the first name that does; those of other names give none. */
function labelling(read: readonly Read[]): Read[] {
  const first = read.find(({ matched }) => matched.some(({ line }) => line.labels.length > 0));
  return read.filter(
    ({ file }) => first !== undefined && kindOfFile(file) === kindOfFile(first.file),
  );
}

const order = ["manifest.jsonl", "metadata.jsonl", "metadata.csv", "labels.csv"];
const rank = (file: BesideFile) =>
  (order.indexOf(kindOfFile(file)) + order.length + 1) % (order.length + 1);

/** Puts together what files say of images, by their paths within the source `root`. */
export function readBeside(
  root: string,
  paths: readonly string[],
  files: readonly BesideFile[],
): Beside {
  if (files.length === 0) return { facts: paths.map(() => ({})), notes: [], warned: false };
  const sorted = [...files].sort((a, b) => rank(a) - rank(b) || (a.path < b.path ? -1 : 1));
  const read = readAll(sorted, finder(root, paths));
  const used = labelling(read);
  const facts: ImageFacts[] = paths.map(() => ({}));
  const labels = new Map<number, string[]>();
  for (const one of read) {
    for (const { line, image } of one.matched) {
      const { labels: given, split, box } = line;
      facts[image] = {
        ...(split === undefined ? {} : { split }),
        ...(box === undefined ? {} : { box }),
        ...facts[image],
      };
      if (given.length === 0 || !used.includes(one)) continue;
      const known = labels.get(image);
      if (known === undefined) labels.set(image, [...given]);
      else known.push(...given);
    }
  }
  for (const [image, all] of labels) facts[image] = { ...facts[image], label: joinLabels(all)! };
  const told = read.filter(({ file }) => isBoxFile(file) || isLabelFile(basename(file.path)));
  const said = told.flatMap((one) => describe(one, used.includes(one)));
  const notes = [...said, ...describeSeveral(labels.values())];
  const warned = told.some(
    ({ table, matched }) =>
      matched.length < table.lines.length ||
      describeBroken(table).length > 0 ||
      table.lacks !== undefined,
  );
  return { facts, notes, warned: notes.length > 0 && warned };
}

async function readText(path: string): Promise<LabelText | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile() !== true) return undefined;
  if (found.size > LARGEST) {
    throw new DataError(
      `${quoted(path)} has ${found.size} bytes, expected at most ${LARGEST} of a file of labels`,
      "move it away, or give labels by folders",
    );
  }
  return decodeLabels(await explained("read", path, () => readFile(path)));
}

const aboveNames = [...order, "labels.jsonl", "boxes.json"];

/** The files that say something of the images of a folder: those found in it, else those of these names above it. */
export async function findBeside(root: string, found: readonly string[]): Promise<BesideFile[]> {
  const within = [...found, "boxes.json"];
  const files: BesideFile[] = [];
  for (const path of within) {
    const read = await readText(join(root, path));
    if (read === undefined) continue;
    const at = path.includes("/") ? path.slice(0, path.lastIndexOf("/") + 1) : "";
    files.push({ path, at, ...read });
  }
  if (files.length > 0) return files;
  const prefix = `${plain(basename(root))}/`;
  for (const name of aboveNames) {
    const read = await readText(join(dirname(root), name));
    if (read !== undefined) files.push({ path: `../${name}`, at: "", ...read, prefix });
  }
  return files;
}

/** Labels that a file gives of images. */
export type GivenLabels = {
  readonly labels: readonly (string | undefined)[]; // in the order of the paths
  readonly notes: readonly string[];
};

/**
 * Reads labels of images, by their paths within the source `root`, from a file that was named for it, in a form of those
 * beside images. Throws `DataError` where it labels none.
 */
export async function readGivenLabels(
  file: string,
  root: string,
  paths: readonly string[],
): Promise<GivenLabels> {
  const text = await readText(file);
  if (text === undefined) throw new DataError(`labels: there is no file ${quoted(file)}`);
  const [read] = readAll([{ path: file, at: "", ...text }], finder(root, paths));
  const hint = "expected columns path and label, as in docs/labels.md";
  if (read.table.lacks !== undefined) {
    throw new DataError(`labels: ${quoted(file)} ${read.table.lacks}`, hint);
  }
  const all = new Map<number, string[]>();
  for (const { line, image } of read.matched) {
    if (line.labels.length > 0) all.set(image, [...(all.get(image) ?? []), ...line.labels]);
  }
  if (all.size === 0) {
    const first = read.table.lines.at(0)?.path;
    const example = first === undefined ? "" : `, as ${quoted(first)}`;
    throw new DataError(
      `labels: no line of ${quoted(file)} labels an image of ${quoted(root)}${example}`,
      "paths are those from the folder of the images",
    );
  }
  const labels = paths.map((_, i) => joinLabels(all.get(i) ?? []));
  return { labels, notes: [...describe(read, true), ...describeSeveral(all.values())] };
}
