import { existsSync } from "node:fs";
import { crc32 } from "node:zlib";

import { type DataOf, hostArray } from "../core/arrays.ts";
import { DataError } from "../core/errors.ts";
import {
  readNpy,
  readParquet,
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
    `${JSON.stringify(name)} are no embeddings: ${JSON.stringify(path)} does not exist`,
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

/**
 * Writes embeddings to those files that are named, each whole or not at all; the table last. Throws
 * `DataError` where a vector holds what is no finite number.
 */
export async function writeEmbeddings(files: EmbeddingFiles, embeddings: Embeddings) {
  const { parquet, npy, names } = files;
  const { images, features, facts } = embeddings;
  checkFeatures("embed", "vectors", features, 0);
  if (npy !== undefined) {
    const shape = [features.count, features.dimension];
    await writeNpy(npy, hostArray("float32", shape, features.data as DataOf<"float32">));
  }
  if (names !== undefined) {
    await writeFileAtomic(names, images.map(({ id }) => `${id}\n`).join(""));
  }
  if (parquet === undefined) return;
  const known = Object.entries(facts).filter(([, value]) => value !== undefined);
  const about = Object.fromEntries(known) as Record<string, string>;
  await writeParquet(parquet, columns, rowsOf(embeddings), {
    ...about,
    vectors: checksum(features), // tells damage, and whether an npy beside holds the same
  });
}

/** Changes with the vectors of a table and with their encoder; empty where the table says neither. */
export const markOf = ({ vectors = "", encoderHash = "" }: EmbeddingFacts) =>
  `${vectors} ${encoderHash}`.trim();

type Row = Record<string, unknown>;

const text = (value: unknown) => (typeof value === "string" ? value : undefined);
const whole = (value: unknown, other: number) =>
  typeof value === "number" || typeof value === "bigint" ? Number(value) : other;

function imageOf(row: Row, at: number, where: string): EmbeddedImage {
  const id = text(row.id) ?? text(row.path);
  if (id === undefined) {
    throw new DataError(`${where}: row ${at} has no id, expected a text`);
  }
  return {
    id,
    path: text(row.path) ?? id,
    label: text(row.label),
    group: whole(row.group, at),
    width: whole(row.width, 0),
    height: whole(row.height, 0),
    content: text(row.content) ?? "",
  };
}

function setVector(into: Features, at: number, value: unknown, where: string): void {
  const { data, dimension } = into;
  const length = Array.isArray(value) ? value.length : undefined;
  if (length !== dimension) {
    const is = length === undefined ? "no vector" : `a vector of ${length} numbers`;
    throw new DataError(
      `${where}: row ${at} has ${is}, expected ${dimension} as in row 0`,
      "embed the images again, all with one encoder",
    );
  }
  (value as unknown[]).forEach((x, i) => {
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

const ROWS = 20_000; // of a table read at a time

async function readVectors(path: string, name: string, count: number): Promise<Features> {
  const where = JSON.stringify(path);
  let features: Features | undefined;
  for (let start = 0; start < count; start += ROWS) {
    const end = Math.min(count, start + ROWS);
    const rows = await readParquet(path, { columns: [name], start, end });
    rows.forEach((row, i) => {
      const value = row[name];
      const dimension = Array.isArray(value) ? value.length : 0;
      features ??= { data: new Float32Array(count * dimension), count, dimension };
      setVector(features, start + i, value, where);
    });
  }
  if (features !== undefined && features.dimension > 0) return features;
  throw new DataError(`${where}: row 0 has no vector, expected a list of numbers`);
}

/** What is said where there is no row. */
export const emptyError = (path: string) =>
  new DataError(
    `${JSON.stringify(path)} holds no image, expected one at least`,
    "embed a folder with images in it",
  );

/** The name of the column of vectors: `vector`, or `embedding` as other programs say. */
export function vectorColumn(path: string, names: readonly string[]): string {
  const found = ["vector", "embedding"].find((name) => names.includes(name));
  if (found !== undefined && (names.includes("id") || names.includes("path"))) return found;
  throw new DataError(
    `${JSON.stringify(path)} is no table of embeddings: its columns are ${names.join(", ")}, expected id and vector`,
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
  return { path, images, facts: metadata };
}

/** The vectors of a table, or the same from an npy file beside it, which is faster to read. */
async function vectorsOf(path: string): Promise<Features> {
  const { columns: names, metadata, rows, own } = await readParquetFooter(path);
  const sum = own ? metadata.vectors : undefined; // another program keeps it and writes other rows
  const beside = sum === undefined ? undefined : await fromArray(path, rows, sum);
  if (beside !== undefined) return beside;
  const features = await readVectors(path, vectorColumn(path, names), rows);
  if (sum === undefined || checksum(features) === sum) return features;
  throw new DataError(
    `${JSON.stringify(path)} is damaged: its vectors have the checksum ${checksum(features)}, expected ${sum}`,
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
