import { DataError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";
import { parseJsonLines, readCsv } from "../files/index.ts";
import type { Box } from "./source.ts";

/** What files beside the images say of one of them. */
export type ImageFacts = {
  readonly label?: string;
  readonly split?: string; // the part it belongs to, in the file's words
  readonly box?: Box;
};

/** A line of a file of labels: what it says, and of which image. */
export type LabelLine = ImageFacts & { readonly path: string };

/** A file of labels. */
export type LabelTable = {
  readonly lines: readonly LabelLine[];
  readonly several: number; // lines with more than one label
  /** Why the file gives no labels or no images, in words. */
  readonly lacks: string | undefined;
};

/** Names of columns and keys, without marks between their words, those that say most first. */
const names = {
  path: "path filepath imagepath imgpath filename file image imagefile imagename img imagefilename imageid id key name",
  label:
    "labelname classname categoryname label labels class classes category categories target cls tag tags labelid classid categoryid",
  split: "split subset partition",
  box: "box",
};
type Meaning = keyof typeof names;
type Columns = Partial<Record<Meaning, string>>;

const plainName = (name: string) => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");

function columnsOf(given: readonly string[]): Columns {
  const plain = new Map([...given].reverse().map((name) => [plainName(name), name]));
  const first = (meaning: Meaning) => {
    const found = names[meaning].split(" ").find((name) => plain.has(name));
    return found === undefined ? undefined : plain.get(found);
  };
  const columns: Columns = {};
  for (const meaning of Object.keys(names) as Meaning[]) {
    const name = first(meaning);
    if (name !== undefined) columns[meaning] = name;
  }
  return columns;
}

function isFour(value: unknown): value is [number, number, number, number] {
  return Array.isArray(value) && value.length === 4 && value.every(Number.isFinite);
}

const LARGEST_SIDE = 1e6; // pixels

/** Whether four numbers are left, top, width and height of a rectangle within an image. */
export function isBox(value: unknown): value is Box {
  if (!isFour(value)) return false;
  const [left, top, width, height] = value;
  const inside = [left + width, top + height].every((end) => end <= LARGEST_SIDE);
  return left >= 0 && top >= 0 && width > 0 && height > 0 && inside;
}

const textOf = (value: unknown): string | undefined => {
  const isPlain = typeof value === "string" || typeof value === "boolean" || Number.isFinite(value);
  const text = isPlain ? String(value).trim() : "";
  return text === "" ? undefined : text;
};

/** Labels as one: several are a class of their own, the same in any order. */
export function joinLabels(values: readonly unknown[]): string | undefined {
  const texts = [...new Set(values.flatMap((value) => textOf(value) ?? []))].sort();
  return texts.length === 0 ? undefined : texts.join(" + ");
}

function lineOf(get: (name: string) => unknown, columns: Columns) {
  const value = (meaning: Meaning) => {
    const name = columns[meaning];
    return name === undefined ? undefined : get(name);
  };
  const path = textOf(value("path"));
  const given = value("label");
  const label = joinLabels(Array.isArray(given) ? given : [given]);
  const [split, box] = [textOf(value("split")), value("box")];
  const facts: ImageFacts = {
    ...(label === undefined ? {} : { label }),
    ...(split === undefined ? {} : { split }),
    ...(isBox(box) ? { box } : {}),
  };
  const several = Array.isArray(given) && new Set(given).size > 1;
  return { line: path === undefined ? undefined : { path, ...facts }, several };
}

const list = (given: readonly string[]) =>
  given
    .slice(0, 8)
    .map((name) => quoted(name, 40))
    .join(", ");

function tableOf(
  rows: readonly ((name: string) => unknown)[],
  given: readonly string[],
): LabelTable {
  const columns = columnsOf(given);
  // of two columns one is the image, the other its label, whatever that is called
  if (given.length === 2 && columns.label === undefined && columns.path !== undefined) {
    columns.label = given.find((name) => name !== columns.path)!;
  }
  const read = rows.map((get) => lineOf(get, columns));
  const lines = read.flatMap(({ line }) => line ?? []);
  const missing = columns.path === undefined ? "path" : columns.label === undefined ? "label" : "";
  const lacks = missing === "" ? undefined : `has nothing called ${missing} (but ${list(given)})`;
  return { lines, several: read.filter(({ several }) => several).length, lacks };
}

function fromCsv(text: string, isImage: (path: string) => boolean): LabelTable {
  const all = readCsv(text);
  const [first = []] = all;
  const bare = first.length > 0 && isImage(first[0]); // no header
  const given = bare ? first.map((_, i) => ["path", "label"][i] ?? String(i)) : first;
  const rows = all.slice(bare ? 0 : 1).map((cells) => (name: string) => cells[given.indexOf(name)]);
  return tableOf(rows, given);
}

function fromJsonLines(text: string, path: string): LabelTable {
  const values = parseJsonLines(text, path);
  const objects = values.map((value) =>
    typeof value === "object" && value !== null
      ? new Map<string, unknown>(Object.entries(value))
      : new Map<string, unknown>(),
  );
  const given = new Set(objects.flatMap((object) => [...object.keys()]));
  return tableOf(
    objects.map((object) => (name: string) => object.get(name)),
    [...given],
  );
}

const fileName = /^(?:\w+[-_])?(?:manifest|metadata|labels|annotations)\.(?:jsonl|csv|tsv)$/i;
/** Whether a file has the name of one with labels: labels.csv, metadata.jsonl, train_labels.csv. */
export const isLabelFile = (name: string): boolean => fileName.test(name);

/**
 * Reads a file of labels: JSON lines, or a table with a header.
 *
 * @param path for messages, and for its ending
 * @param isImage whether a cell is an image of the source: a table that begins so has no header
 */
export function readLabels(
  text: string,
  path: string,
  isImage: (path: string) => boolean,
): LabelTable {
  return /\.jsonl$/i.test(path) ? fromJsonLines(text, path) : fromCsv(text, isImage);
}

/** Boxes by the paths of images, from the text of boxes.json. Throws `DataError`. */
export function readBoxes(text: string, path: string): LabelLine[] {
  const fail = (what: string) =>
    new DataError(
      `boxes: ${quoted(path)} ${what}, expected {"boxes": {"image path": [left, top, right, bottom]}}`,
      "correct the file or move it away",
    );
  let content: { boxes?: unknown; format?: unknown } | null;
  try {
    content = JSON.parse(text) as typeof content;
  } catch {
    throw fail("is no JSON");
  }
  const table = content?.boxes ?? content;
  if (typeof table !== "object" || table === null) throw fail("holds no table");
  const sizes = content?.format === "xywh"; // left, top, width, height
  return Object.entries(table).flatMap(([image, box]: [string, unknown]) => {
    if (!Array.isArray(box)) return [];
    if (!isFour(box)) throw fail(`has ${quoted(box)} for ${quoted(image)}`);
    const [left, top, right, bottom] = box;
    // Corners are inclusive: a box of one pixel has equal corners.
    const rectangle = sizes ? box : [left, top, right - left + 1, bottom - top + 1];
    if (!isBox(rectangle)) throw fail(`has ${quoted(box)} for ${quoted(image)}`);
    return [{ path: image, box: rectangle }];
  });
}
