import { createHash } from "node:crypto";
import { existsSync, readdirSync, realpathSync, statSync } from "node:fs";
import { basename, join, relative, sep } from "node:path";

import { readParquetFooter } from "../files/index.ts";
import { readRunConfig } from "../train/run/runConfig.ts";
import { isRun, runFolder } from "../train/run/runFolder.ts";
import type { ImagesPlace, TablePlace } from "./wire.ts";

const DEPTH = 4; // folders below those that were given
const FOLDERS = 5000;
const skipped = new Set(["node_modules", "checkpoints", "pairs", ".packed", ".git"]);
const pictures = /\.(jpe?g|png|webp|gif|avif|tiff?|bmp|svg)$/i;

/** A run, by its id and its folder. */
export type RunPlace = { readonly id: string; readonly name: string; readonly path: string };

/** What the studio knows. Whatever a request names is one of these, by id. */
export type Places = {
  readonly roots: readonly string[];
  readonly runs: ReadonlyMap<string, RunPlace>;
  readonly tables: ReadonlyMap<string, TablePlace>;
  readonly images: ReadonlyMap<string, ImagesPlace>;
};

/** The id of a place: it stays as long as the place does. */
export const idOf = (path: string): string =>
  createHash("sha256").update(path).digest("hex").slice(0, 12);

type Found = { runs: string[]; tables: string[]; pictures: Set<string> };

/** Walks down from a root. Links are not followed, so nothing outside the root is found. */
function walk(root: string): Found {
  const found: Found = { runs: [], tables: [], pictures: new Set() };
  const queue = [{ path: root, depth: 0 }];
  for (let at = 0; at < queue.length && at < FOLDERS; at++) {
    const { path, depth } = queue[at];
    const run = isRun(path);
    if (run) found.runs.push(path);
    let entries;
    try {
      entries = readdirSync(path, { withFileTypes: true });
    } catch {
      continue; // it went meanwhile, or may not be read
    }
    for (const entry of entries) {
      const inner = join(path, entry.name);
      if (entry.isFile()) {
        if (entry.name.endsWith(".parquet")) found.tables.push(inner);
        else if (depth < 3 && !run && pictures.test(entry.name)) found.pictures.add(path);
      } else if (entry.isDirectory() && !run && depth < DEPTH && !skipped.has(entry.name)) {
        queue.push({ path: inner, depth: depth + 1 });
      }
    }
  }
  return found;
}

const named = (root: string, path: string): string => {
  const way = relative(root, path).split(sep).join("/");
  return way === "" ? basename(path) : way;
};

/** Keeps what is known of files until they change. */
function tableReader() {
  const known = new Map<string, { mark: string; table: TablePlace | undefined }>();
  return async (root: string, path: string): Promise<TablePlace | undefined> => {
    const { mtimeMs, size } = statSync(path);
    const mark = `${mtimeMs} ${size}`;
    const before = known.get(path);
    if (before?.mark === mark) return before.table;
    const footer = await readParquetFooter(path).catch(() => undefined);
    const columns: readonly string[] = footer?.columns ?? [];
    const isTable = columns.includes("id") && columns.includes("vector");
    const name = named(root, path).replace(/\.parquet$/, "");
    const table = isTable
      ? { id: idOf(path), name, path, count: footer!.rows, changed: mtimeMs }
      : undefined;
    known.set(path, { mark, table });
    return table;
  };
}

/** The images that a run learned from, where they are there. */
function dataOf(run: string): string | undefined {
  try {
    const { data } = readRunConfig(runFolder(run));
    return existsSync(data) ? realpathSync(data) : undefined;
  } catch {
    return undefined;
  }
}

/** The topmost folder under which pictures lie: a root whose sub-folders are classes is one set. */
const imagesOf = (root: string, { runs, tables, pictures: found }: Found): string[] =>
  found.size > 0 && runs.length === 0 && tables.length === 0 ? [root] : [];

/** Looks for runs, tables and images in folders; what is known of files is kept between two calls. */
export function placesFinder(folders: readonly string[]): () => Promise<Places> {
  const roots = folders.map((folder) => realpathSync(folder));
  const tableAt = tableReader();
  const dataAt = new Map<string, string | undefined>();
  return async () => {
    const runs = new Map<string, RunPlace>();
    const tables = new Map<string, TablePlace>();
    const images = new Map<string, ImagesPlace>();
    const addImages = (path: string) => {
      images.set(idOf(path), { id: idOf(path), name: basename(path), path });
    };
    for (const root of roots) {
      const found = walk(root);
      for (const path of found.runs) {
        runs.set(idOf(path), { id: idOf(path), name: named(root, path), path });
        if (dataAt.get(path) === undefined) dataAt.set(path, dataOf(path));
        const data = dataAt.get(path);
        if (data !== undefined) addImages(data);
      }
      for (const path of found.tables) {
        const table = await tableAt(root, path).catch(() => undefined);
        if (table !== undefined) tables.set(table.id, table);
      }
      imagesOf(root, found).forEach(addImages);
    }
    return { roots, runs, tables, images };
  };
}
