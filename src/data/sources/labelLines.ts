import { DataError } from "../../core/errors.ts";
import { parseJson } from "../../core/json.ts";
import { quoted, quotedNames } from "../../core/quote.ts";
import { readCsv } from "../../files/index.ts";
import type { Box } from "./source.ts";

/** What files beside the images say of one of them. */
export type ImageFacts = {
  readonly label?: string;
  readonly split?: string; // the part it belongs to, in the file's words
  readonly box?: Box;
};

/** A line of a file of labels: what it says, and of which image. */
export type LabelLine = Omit<ImageFacts, "label"> & {
  readonly path: string;
  readonly labels: readonly string[];
  readonly isOdd?: boolean; // its box is none
};

/** A file of labels. */
export type LabelTable = {
  readonly lines: readonly LabelLine[];
  readonly broken: readonly number[]; // numbers of lines that are no object or name no image, from 1
  readonly odd: number; // boxes that are none
  readonly open?: number; // line of a quote that does not close: what follows is left out
  /** Why the file gives no labels or no images, in words. */
  readonly lacks: string | undefined;
};

/** Names of columns and keys, without marks between their words, those that say most first. */
const names = {
  path: "path filepath imagepath imgpath filename file image imagefile imagename img imagefilename imageid id key name",
  label:
    "labelname classname categoryname label labels class classes category categories target cls tag tags labelid classid categoryid objectscategories objects annotations",
  split: "split subset partition",
  box: "box",
};
/** Columns of words about one image, which are no classes. */
const captions = /^(text|captions?|prompt|description|title|alt|alttext|url)$/;

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
function isBox(value: unknown): value is Box {
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

const plainLabels = (values: readonly unknown[]) => [
  ...new Set(values.flatMap((value) => textOf(value) ?? [])),
];

/** Labels as one: several are a class of their own, the same in any order. */
export function joinLabels(values: readonly unknown[]): string | undefined {
  const texts = plainLabels(values).sort();
  return texts.length === 0 ? undefined : texts.join(" + ");
}

/** What a cell holds, of a list its members, of an object what a key named as labels are holds: `{categories: [0, 3]}`. */
function cellValues(cell: unknown): unknown[] {
  if (Array.isArray(cell)) return cell.flatMap(cellValues);
  if (typeof cell !== "object" || cell === null) return [cell];
  const entries = new Map<string, unknown>(Object.entries(cell));
  const { label } = columnsOf([...entries.keys()]);
  return label === undefined ? [] : cellValues(entries.get(label));
}

function lineOf(get: (name: string) => unknown, columns: Columns): LabelLine | undefined {
  const value = (meaning: Meaning) => {
    const name = columns[meaning];
    return name === undefined ? undefined : get(name);
  };
  const path = textOf(value("path"));
  if (path === undefined) return undefined;
  const [split, box] = [textOf(value("split")), value("box")];
  return {
    path,
    labels: plainLabels(cellValues(value("label"))),
    ...(split === undefined ? {} : { split }),
    ...(isBox(box) ? { box } : box === undefined || box === null ? {} : { isOdd: true }),
  };
}

/** What a file lacks for giving labels, in words; undefined where nothing is missing. */
function lacksOf(columns: Columns, given: readonly string[], lines: readonly LabelLine[]) {
  if (given.every((name) => name.trim() === "")) return "is empty";
  const missing = columns.path === undefined ? "path" : columns.label === undefined ? "label" : "";
  if (missing !== "") return `has nothing called ${missing} (but ${quotedNames(given, 8)})`;
  const isEmpty = lines.length > 0 && lines.every(({ labels }) => labels.length === 0);
  return isEmpty ? `has no label in ${quoted(columns.label, 40)} that is understood` : undefined;
}

/** A row of a file: its cells by name, undefined where it could not be read. */
type Row = { readonly number: number; readonly get: ((name: string) => unknown) | undefined };

function tableOf(rows: readonly Row[], given: readonly string[]): LabelTable {
  const columns = columnsOf(given);
  // of two columns one is the image, the other its label, whatever that is called
  const other = given.find((name) => name !== columns.path);
  if (given.length === 2 && columns.label === undefined && columns.path !== undefined) {
    if (!captions.test(plainName(other!))) columns.label = other!;
  }
  const read = rows.map(({ get }) => get && lineOf(get, columns));
  const lines = read.filter((line) => line !== undefined);
  const isBroken = ({ get }: Row, i: number) =>
    get === undefined || (columns.path !== undefined && read[i] === undefined);
  const broken = rows.filter(isBroken).map(({ number }) => number);
  const odd = lines.filter(({ isOdd }) => isOdd).length;
  return { lines, broken, odd, lacks: lacksOf(columns, given, lines) };
}

function fromCsv(text: string, isImage: (path: string) => boolean): LabelTable {
  const { rows: all, open } = readCsv(text);
  const [first = []] = all;
  const bare = first.length > 0 && isImage(first[0]); // no header
  const given = bare ? first.map((_, i) => ["path", "label"][i] ?? String(i)) : first;
  const rows = all.map((cells, i) => ({
    number: i + 1,
    get: (name: string) => cells[given.indexOf(name)],
  }));
  return { ...tableOf(rows.slice(bare ? 0 : 1), given), ...(open === undefined ? {} : { open }) };
}

/** The object of a line of JSON; undefined where it holds none. */
function objectIn(line: string): Map<string, unknown> | undefined {
  try {
    const value = parseJson(line);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? new Map(Object.entries(value)) : undefined;
  } catch {
    return undefined;
  }
}

function fromJsonLines(text: string): LabelTable {
  const given = new Set<string>();
  const rows = text.split("\n").flatMap((line, i): Row[] => {
    if (line.trim() === "") return [];
    const object = objectIn(line);
    object?.forEach((_, key) => given.add(key));
    return [{ number: i + 1, get: object && ((name) => object.get(name)) }];
  });
  return tableOf(rows, [...given]);
}

const fileName = /^(?:\w+[-_])?(?:manifest|metadata|labels|annotations)\.(?:jsonl|csv|tsv)$/i;
/** Whether a file has the name of one with labels: labels.csv, metadata.jsonl, train_labels.csv. */
export const isLabelFile = (name: string): boolean => fileName.test(name);

/**
 * Reads a file of labels: JSON lines, or a table with a header.
 *
 * @param path for its ending
 * @param isImage whether a cell is an image of the source: a table that begins so has no header
 */
export function readLabels(
  text: string,
  path: string,
  isImage: (path: string) => boolean,
): LabelTable {
  return /\.jsonl$/i.test(path) ? fromJsonLines(text) : fromCsv(text, isImage);
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
    content = parseJson(text) as typeof content;
  } catch {
    throw fail("is no JSON");
  }
  const table = content?.boxes ?? content;
  if (typeof table !== "object" || table === null) throw fail("holds no table");
  const format = content?.format ?? "xyxy";
  if (format !== "xywh" && format !== "xyxy") throw fail(`has the format ${quoted(format)}`);
  const sizes = format === "xywh"; // left, top, width, height
  return Object.entries(table).flatMap(([image, box]: [string, unknown]) => {
    if (box === null || (table === content && !Array.isArray(box))) return []; // none, or a word about the table
    if (!isFour(box)) throw fail(`has ${quoted(box)} for ${quoted(image)}`);
    const [left, top, right, bottom] = box;
    // Corners are inclusive: a box of one pixel has equal corners.
    const rectangle = sizes ? box : [left, top, right - left + 1, bottom - top + 1];
    if (!isBox(rectangle)) throw fail(`has ${quoted(box)} for ${quoted(image)}`);
    return [{ path: image, labels: [], box: rectangle }];
  });
}
