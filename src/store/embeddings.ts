import { existsSync } from "node:fs";
import { crc32 } from "node:zlib";

import { type DataOf, hostArray } from "../core/arrays.ts";
import { DataError } from "../core/errors.ts";
import { nameLine, quoted } from "../core/quote.ts";
import {
  readNpy,
  type ParquetCell,
  type ParquetFooter,
  checkParquetSum,
  readParquet,
  readParquetColumn,
  readParquetFooter,
  writeFileAtomic,
  writeNpy,
  writeParquet,
} from "../files/index.ts";
import { checkFeatures, type Features } from "../metrics/index.ts";

/** What a table says of an image beside its vector. */
export type EmbeddedImage = {
  readonly id: string;
  readonly path: string; // of its file, from the folder of the images, with forward slashes
  readonly label?: string | undefined;
  readonly group: number; // images of one group are of one thing
  readonly width: number; // pixels, of the original
  readonly height: number; // pixels, of the original
  /** Changes with the pixels; empty where nobody said. */
  readonly content: string;
};

/** Where embeddings come from. Texts, as the footer of a Parquet file holds them. */
export type EmbeddingFacts = {
  readonly encoder?: string; // path of the weights or the model
  readonly encoderHash?: string;
  readonly features?: string; // features or head
  readonly unit?: string; // "true" where vectors have length 1
  readonly stated?: string; // JSON: what a user said of a foreign model
  readonly images?: string; // path of the images
  readonly packed?: string; // path of their packed form
  readonly ranges?: string; // JSON: how images of more than 8 bits were shown
  readonly vectors?: string; // checksum of the vectors, which writing adds
};

/** Embeddings of images: vector i is of image i. */
export type Embeddings = {
  readonly images: readonly EmbeddedImage[];
  readonly features: Features;
  readonly facts: EmbeddingFacts;
};

/** The files of embeddings. */
export type EmbeddingFiles = {
  readonly parquet?: string;
  readonly npy?: string;
  readonly names?: string; // line i names row i of the npy
};

/** The files that a name stands for: `x.parquet`, `x.npy` with its names, or all three. */
export function embeddingFiles(out: string): EmbeddingFiles {
  if (/\.parquet$/i.test(out)) return { parquet: out };
  const base = out.replace(/\.npy$/i, "");
  const array = { npy: `${base}.npy`, names: `${base}.names.txt` };
  return /\.npy$/i.test(out) ? array : { parquet: `${out}.parquet`, ...array };
}

/** The table that a name stands for: itself, or with `.parquet` behind it. */
export function tablePath(name: string): string {
  const path = /\.parquet$/i.test(name) ? name : `${name.replace(/\.npy$/i, "")}.parquet`;
  if (existsSync(path)) return path;
  throw new DataError(
    `${quoted(name)} are no embeddings: ${quoted(path)} does not exist`,
    "make them first: contrapose embed RUN --data ./photos --out NAME",
  );
}

const columns = [
  { name: "id", type: "string" },
  { name: "path", type: "string" },
  { name: "label", type: "string", nullable: true },
  { name: "group", type: "int32" },
  { name: "width", type: "int32" },
  { name: "height", type: "int32" },
  { name: "content", type: "string" },
  { name: "vector", type: "vector" },
] as const;

function* rowsOf({ images, features }: Embeddings) {
  const { data, dimension } = features;
  for (const [i, image] of images.entries()) {
    const vector = data.subarray(i * dimension, (i + 1) * dimension);
    yield { ...image, label: image.label ?? null, vector };
  }
}

const bytesOf = ({ data }: Features) =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
const checksum = (features: Features) => crc32(bytesOf(features)).toString(16);

/** Writes the table; its checksum of the vectors tells damage, and whether an npy beside holds the same. */
function writeTable(path: string, { images, features, facts }: Embeddings) {
  const known = Object.entries(facts).filter(([, value]) => value !== undefined);
  const about = Object.fromEntries(known) as Record<string, string>;
  const vectors = checksum(features);
  return writeParquet(path, columns, rowsOf({ images, features, facts }), { ...about, vectors });
}

/**
 * Writes embeddings to those files that are named, each whole or not at all. Throws `DataError` where a
 * vector holds what is no finite number.
 *
 * Killed on the way, the same call goes on from the table: a new one comes first, as without it nothing
 * says whose array stands there; one that is replaced comes last, so that the array is not taken for done.
 */
export async function writeEmbeddings(files: EmbeddingFiles, embeddings: Embeddings) {
  const { parquet, npy, names } = files;
  const { images, features } = embeddings;
  checkFeatures("embed", "vectors", features, 0);
  const isNew = parquet !== undefined && !existsSync(parquet);
  if (isNew) await writeTable(parquet, embeddings);
  if (npy !== undefined) {
    const shape = [features.count, features.dimension];
    await writeNpy(npy, hostArray("float32", shape, features.data as DataOf<"float32">));
  }
  if (names !== undefined) {
    await writeFileAtomic(names, images.map(({ id }) => `${nameLine(id)}\n`).join(""));
  }
  if (parquet !== undefined && !isNew) await writeTable(parquet, embeddings);
}

/** Changes with the vectors of a table and with their encoder; empty where the table says neither. */
export const markOf = ({ vectors = "", encoderHash = "" }: EmbeddingFacts) =>
  `${vectors} ${encoderHash}`.trim();

type Row = Readonly<Record<string, ParquetCell>>;

/** A text, or a number as one; undefined where there is none. */
const text = (value: ParquetCell | undefined) =>
  value === undefined || typeof value === "object" ? undefined : String(value);

/** A number of a row; `other` where there is none. Throws `DataError` where it is no whole number of 32 bits. */
function whole(row: Row, name: string, other: number, where: string): number {
  const value = row[name] ?? other;
  if (typeof value === "bigint" || typeof value === "number") {
    const number = Number(value);
    if (number === (number | 0)) return number;
  }
  throw new DataError(
    `${where} has the ${name} ${text(value)?.slice(0, 40)}, expected a whole number of 32 bits`,
  );
}

function imageOf(row: Row, at: number, table: string): EmbeddedImage {
  const where = `${table}: row ${at}`;
  const id = text(row.id) ?? text(row.path);
  if (id === undefined) throw new DataError(`${where} has no id, expected a text`);
  return {
    id,
    path: text(row.path) ?? id,
    label: text(row.label),
    group: whole(row, "group", at, where),
    width: whole(row, "width", 0, where),
    height: whole(row, "height", 0, where),
    content: text(row.content) ?? "",
  };
}

/** Throws `DataError` where two images have one id: which of them is meant could not be told. */
function checkIds(images: readonly EmbeddedImage[], table: string): void {
  const rows = new Map<string, number>();
  for (const [at, { id }] of images.entries()) {
    const before = rows.get(id);
    rows.set(id, at);
    if (before === undefined) continue;
    throw new DataError(
      `${table}: rows ${before} and ${at} have one id, ${JSON.stringify(id.slice(0, 100))}, expected one an image`,
    );
  }
}

const lengthOf = (cell: ParquetCell) =>
  typeof cell === "object" && cell !== null ? cell.length : undefined;

/** Puts the vector of a row in its place. Throws `DataError` where it has another width, or a gap. */
function setVector({ data, dimension }: Features, at: number, cell: ParquetCell, where: string) {
  const length = lengthOf(cell);
  if (length !== dimension) {
    const is = length === undefined ? "no vector" : `a vector of ${length} numbers`;
    throw new DataError(
      `${where}: row ${at} has ${is}, expected ${dimension} as in row 0`,
      "embed the images again, all with one encoder",
    );
  }
  if (cell instanceof Float32Array) return data.set(cell, at * dimension);
  (cell as readonly unknown[]).forEach((x, i) => {
    data[at * dimension + i] = typeof x === "number" ? x : NaN; // which the reader refuses
  });
}

/** Vectors of an npy file beside the table, where it holds what the table holds. */
async function fromArray(path: string, count: number, sum: string) {
  const npy = path.replace(/\.parquet$/i, ".npy");
  if (!existsSync(npy)) return undefined;
  const array = await readNpy(npy).catch(() => undefined);
  if (array?.dtype !== "float32" || array.shape.length !== 2 || array.shape[0] !== count) {
    return undefined;
  }
  const data = array.data as Float32Array;
  const features = { data, count, dimension: array.shape[1] };
  return checksum(features) === sum ? features : undefined;
}

async function readVectors(
  path: string,
  name: string,
  { rows: count, values }: ParquetFooter,
): Promise<Features> {
  const where = JSON.stringify(path);
  const data = new Float32Array(values[name]);
  let features: Features | undefined;
  let at = 0;
  for await (const cells of readParquetColumn(path, name)) {
    features ??= { data, count, dimension: lengthOf(cells[0]) ?? 0 };
    if (features.dimension === 0) {
      throw new DataError(`${where}: row 0 has no vector, expected a list of numbers`);
    }
    for (const cell of cells) setVector(features, at++, cell, where);
  }
  return features ?? { data, count, dimension: 0 };
}

/** What is said where there is no row. */
export const emptyError = (path: string) =>
  new DataError(
    `${quoted(path)} holds no image, expected one at least`,
    "embed a folder with images in it",
  );

/** The name of the column of vectors: `vector`, or `embedding` as other programs say. */
export function vectorColumn(path: string, names: readonly string[]): string {
  const found = ["vector", "embedding"].find((name) => names.includes(name));
  if (found !== undefined && (names.includes("id") || names.includes("path"))) return found;
  throw new DataError(
    `${quoted(path)} is no table of embeddings: its columns are ${names.join(", ").slice(0, 200)}, expected id and vector`,
    "contrapose embed writes such tables",
  );
}

/** Reads what a table of embeddings says of its images, without the vectors. */
export async function readEmbeddedImages(
  name: string,
): Promise<{ path: string; images: EmbeddedImage[]; facts: EmbeddingFacts }> {
  const path = tablePath(name);
  const { rows: count, columns: names, metadata } = await readParquetFooter(path);
  vectorColumn(path, names);
  if (count === 0) throw emptyError(path);
  const plain = columns.map((column) => column.name).filter((column) => column !== "vector");
  const rows = await readParquet(path, { columns: plain.filter((one) => names.includes(one)) });
  const images = rows.map((row, i) => imageOf(row, i, JSON.stringify(path)));
  checkIds(images, JSON.stringify(path));
  await checkParquetSum(path);
  return { path, images, facts: metadata };
}

/** The vectors of a table, or the same from an npy file beside it, which is faster to read. */
async function vectorsOf(path: string): Promise<Features> {
  const footer = await readParquetFooter(path);
  const { columns: names, metadata, rows, own } = footer;
  const sum = own ? metadata.vectors : undefined; // another program keeps it and writes other rows
  const beside = sum === undefined ? undefined : await fromArray(path, rows, sum);
  if (beside !== undefined) return beside;
  const features = await readVectors(path, vectorColumn(path, names), footer);
  if (sum === undefined || checksum(features) === sum) return features;
  throw new DataError(
    `${quoted(path)} is damaged: its vectors have the checksum ${checksum(features)}, expected ${sum}`,
    "embed the images again with --overwrite",
  );
}

/**
 * Reads a table of embeddings. Throws `DataError` where it is damaged, empty, vectors differ in width, or
 * hold what is no finite number.
 */
export async function readEmbeddings(name: string): Promise<Embeddings> {
  const { path, images, facts } = await readEmbeddedImages(name);
  const features = await vectorsOf(path);
  checkFeatures(JSON.stringify(path), "column of vectors", features);
  return { images, facts, features };
}
