import { DataError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";
import { cursorOf } from "./byteCursor.ts";
import {
  countField,
  structField,
  structsField,
  takeThrift,
  textField,
  type ThriftStruct,
} from "./thrift.ts";

/** What the values of a column are, as they are stored. */
export const physicalTypes = [
  "BOOLEAN",
  "INT32",
  "INT64",
  "INT96",
  "FLOAT",
  "DOUBLE",
  "BYTE_ARRAY",
  "FIXED_LEN_BYTE_ARRAY",
] as const;

/** A column of values: plain ones, or lists of them. */
export type ParquetLeaf = {
  readonly column: string; // name of the column that it is all of; of nested ones a part of
  readonly path: string; // names from the root, with dots
  readonly type: (typeof physicalTypes)[number];
  readonly bytes: number; // of a value of FIXED_LEN_BYTE_ARRAY
  readonly meaning: "plain" | "unsigned" | "half" | "other"; // other: dates, decimals and such
  readonly deepest: number; // definition level at which a value is there
  readonly listed: number; // definition level at which a list has an element; 0: no list
  readonly nested: boolean; // more than a list: it cannot be read
};

/** The values of a leaf in one group of rows. */
export type ParquetChunk = {
  readonly codec: number;
  readonly values: number; // nulls too
  readonly start: number; // byte of the file
  readonly length: number; // bytes
};

/** A group of rows, with a chunk for each leaf. */
export type ParquetGroup = { readonly rows: number; readonly chunks: readonly ParquetChunk[] };

/** What the footer of a file says, held against its size. */
export type ParquetLayout = {
  readonly rows: number;
  readonly columns: readonly string[]; // names
  readonly leaves: readonly ParquetLeaf[];
  readonly groups: readonly ParquetGroup[];
  readonly texts: Readonly<Record<string, string>>;
  readonly author: string | undefined;
  readonly end: number; // byte of the file where the footer starts
};

const SAME = { rows: 1_000_000, values: 16_000_000 }; // that may all be the same and take no bytes

/** Rows or values that some bytes may hold: one a bit, and those that may all be the same. */
const most = (what: keyof typeof SAME, bytes: number): number => 8 * bytes + SAME[what];

type Node = { readonly name: string; readonly struct: ThriftStruct; readonly children: Node[] };

const DEPTH = 32; // of columns in each other

/** The tree of columns from the list that the footer has of it, parents first. */
function treeOf(elements: readonly ThriftStruct[]): Node {
  let next = 0;
  const take = (depth: number): Node => {
    const struct = elements.at(next++);
    if (struct === undefined) throw new DataError("its list of columns is cut short");
    if (depth > DEPTH) throw new DataError(`its columns are nested more than ${DEPTH} deep`);
    const name = textField(struct, 4, "name of a column") ?? "";
    const count = struct.has(5) ? countField(struct, 5, `number of columns in ${name}`) : 0;
    const children: Node[] = [];
    for (let i = 0; i < count; i++) children.push(take(depth + 1));
    return { name, struct, children };
  };
  const root = take(0);
  if (next === elements.length) return root;
  throw new DataError(`it lists ${elements.length} columns and parts, expected ${next}`);
}

const REPEATED = 2;
const UNSIGNED = [11, 12, 13, 14]; // converted types: whole numbers from 0
const PLAIN = [0, 4, 11, 12, 13, 14, 15, 16, 17, 18, 19]; // texts, enumerations, whole numbers, JSON

/** How the values of a leaf are meant: by its logical type, or by the older converted type. */
function meaningOf(element: ThriftStruct, name: string): ParquetLeaf["meaning"] {
  const logical = [...(structField(element, 10, `type of ${name}`)?.keys() ?? [])].at(0);
  const converted = element.has(6) ? countField(element, 6, `type of ${name}`) : undefined;
  if (logical === 15) return "half";
  if (converted === undefined)
    return [undefined, 1, 4, 10, 11, 12].includes(logical) ? "plain" : "other";
  if (UNSIGNED.includes(converted)) return "unsigned";
  return PLAIN.includes(converted) ? "plain" : "other";
}

function leavesOf(node: Node, above: readonly Node[], nested: boolean): ParquetLeaf[] {
  const path = [...above, node];
  if (node.children.length > 0) {
    const parts = nested || node.children.length > 1;
    return node.children.flatMap((child) => leavesOf(child, path, parts));
  }
  const { struct, name } = node;
  const type = physicalTypes.at(countField(struct, 1, `type of ${name}`));
  if (type === undefined) throw new DataError(`the column ${quoted(name)} has no known type`);
  const kinds = path.map((one) => countField(one.struct, 3, `repetition of ${one.name}`));
  if (Math.max(...kinds) > REPEATED) throw new DataError(`${name} is repeated in an unknown way`);
  const levels = (count: number) => kinds.slice(0, count).filter((kind) => kind !== 0).length;
  const repeated = kinds.indexOf(REPEATED);
  return [
    {
      column: path[0].name,
      path: path.map((one) => one.name).join("."),
      type,
      bytes: struct.has(2) ? countField(struct, 2, `size of ${name}`) : 0,
      meaning: meaningOf(struct, name),
      deepest: levels(kinds.length),
      listed: levels(repeated + 1),
      nested:
        nested || kinds.lastIndexOf(REPEATED) !== repeated || (repeated < 0 && path.length > 1),
    },
  ];
}

function chunkOf(column: ThriftStruct, leaf: ParquetLeaf, rows: number, end: number): ParquetChunk {
  const name = quoted(leaf.path);
  const about = structField(column, 3, `chunk of ${name}`);
  if (about === undefined) throw new DataError(`the chunk of ${name} is missing`);
  const type = physicalTypes.at(countField(about, 1, `type of ${name}`));
  if (type !== leaf.type)
    throw new DataError(`the chunk of ${name} is ${type}, expected ${leaf.type}`);
  const values = countField(about, 5, `number of values of ${name}`);
  const length = countField(about, 7, `size of ${name}`);
  const data = countField(about, 9, `place of ${name}`);
  const dictionary = about.has(11) ? countField(about, 11, `dictionary of ${name}`) : 0;
  const start = dictionary > 0 ? Math.min(dictionary, data) : data;
  if (start < 4 || start + length > end) {
    throw new DataError(`bytes ${start} to ${start + length} of ${name} are not all in the file`);
  }
  const few = leaf.listed === 0 && !leaf.nested ? values !== rows : values < rows;
  if (few || values > most("values", length)) {
    throw new DataError(`${name} has ${values} values in ${length} bytes for ${rows} rows`);
  }
  return { codec: countField(about, 4, `compression of ${name}`), values, start, length };
}

function groupOf(struct: ThriftStruct, leaves: readonly ParquetLeaf[], end: number): ParquetGroup {
  const columns = structsField(struct, 1, "columns of a group of rows");
  const rows = countField(struct, 3, "number of rows of a group");
  if (columns.length !== leaves.length) {
    throw new DataError(`a group of rows has ${columns.length} columns, expected ${leaves.length}`);
  }
  return { rows, chunks: columns.map((column, i) => chunkOf(column, leaves[i], rows, end)) };
}

/** What a footer says. `end` is the byte of the file where it starts. Throws `DataError` where it is damaged. */
export function parseFooter(bytes: Uint8Array, end: number): ParquetLayout {
  const footer = takeThrift(cursorOf(bytes));
  const root = treeOf(structsField(footer, 2, "list of columns"));
  const columns = root.children.map(({ name }) => name);
  if (new Set(columns).size !== columns.length) throw new DataError("two columns have one name");
  const leaves = root.children.flatMap((child) => leavesOf(child, [], false));
  const rows = countField(footer, 3, "number of rows");
  const groups = structsField(footer, 4, "list of groups of rows");
  const parsed = groups.map((group) => groupOf(group, leaves, end));
  const sum = parsed.reduce((total, group) => total + group.rows, 0);
  if (sum !== rows) throw new DataError(`its groups have ${sum} rows, expected ${rows}`);
  if (rows > most("rows", end)) throw new DataError(`it has ${rows} rows in ${end} bytes`);
  for (const [i, { path }] of leaves.entries()) {
    const values = parsed.reduce((total, { chunks }) => total + chunks[i].values, 0);
    if (values <= most("values", end)) continue;
    throw new DataError(`${quoted(path)} has ${values} values in ${end} bytes`);
  }
  const pairs = footer.has(5) ? structsField(footer, 5, "texts") : [];
  const texts = pairs.map((pair): [string, string] => [
    textField(pair, 1, "name of a text") ?? "",
    textField(pair, 2, "text") ?? "",
  ]);
  const author = textField(footer, 6, "author");
  return { rows, columns, leaves, groups: parsed, texts: Object.fromEntries(texts), author, end };
}
