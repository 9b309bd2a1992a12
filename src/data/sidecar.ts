import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import { DataError } from "../core/errors.ts";
import { explained, readJsonLines } from "../files/index.ts";
import type { Box } from "./source.ts";

/** What files beside the images say about one of them. */
export type SidecarEntry = { readonly label?: string; readonly box?: Box };

/** Looks up an image by its path within the source. */
export type Sidecar = (path: string) => SidecarEntry | undefined;

function isFour(value: unknown): value is [number, number, number, number] {
  return Array.isArray(value) && value.length === 4 && value.every(Number.isFinite);
}

async function read<T>(path: string, parse: () => Promise<T>): Promise<T | undefined> {
  try {
    return await explained("read", path, parse);
  } catch (error) {
    const cause = error instanceof Error ? (error.cause as NodeJS.ErrnoException) : undefined;
    if (cause?.code === "ENOENT" || cause?.code === "ENOTDIR") return undefined;
    throw error;
  }
}

async function readBoxes(path: string): Promise<Map<string, SidecarEntry> | undefined> {
  const text = await read(path, () => readFile(path, "utf8"));
  if (text === undefined) return undefined;
  const fail = (what: string) =>
    new DataError(
      `boxes: ${JSON.stringify(path)} ${what}, expected {"boxes": {"image path": [left, top, right, bottom]}}`,
      "correct the file or move it away",
    );
  let content: { boxes?: unknown; format?: unknown };
  try {
    content = JSON.parse(text) as typeof content;
  } catch {
    throw fail("is no JSON");
  }
  const table = (content?.boxes ?? content) as Record<string, unknown>;
  if (typeof table !== "object" || table === null) throw fail("holds no table");
  const sizes = content.format === "xywh"; // left, top, width, height
  const entries = Object.entries(table).filter(([, box]) => Array.isArray(box));
  return new Map(
    entries.map(([image, box]) => {
      if (!isFour(box)) throw fail(`has ${JSON.stringify(box)} for ${JSON.stringify(image)}`);
      const [left, top, right, bottom] = box;
      // Corners are inclusive: a box of one pixel has equal corners.
      const corners: Box = [left, top, right - left + 1, bottom - top + 1];
      return [image, { box: sizes ? box : corners }];
    }),
  );
}

async function readManifest(path: string): Promise<Map<string, SidecarEntry> | undefined> {
  const lines = await read(path, () => readJsonLines(path));
  return (
    lines &&
    new Map(
      lines.flatMap((line) => {
        const { path: image, label, box } = (line ?? {}) as Record<string, unknown>;
        if (typeof image !== "string") return [];
        const named = typeof label === "string" ? { label } : {};
        return [[image, { ...named, ...(isFour(box) ? { box } : {}) }] as const];
      }),
    )
  );
}

/**
 * Labels and boxes from `manifest.jsonl` (as `contrapose sample` writes it) or `boxes.json`, beside the
 * images or in the folder above, where paths start with the folder's name.
 *
 * boxes.json holds `{"boxes": {path: [left, top, right, bottom]}}` in inclusive pixels, or with
 * `"format": "xywh"` left, top, width and height.
 */
export async function readSidecar(folder: string): Promise<Sidecar> {
  const places = [
    { at: folder, prefix: "" },
    { at: dirname(folder), prefix: `${basename(folder)}/` },
  ];
  for (const { at, prefix } of places) {
    const manifest = await readManifest(join(at, "manifest.jsonl"));
    const boxes = await readBoxes(join(at, "boxes.json"));
    if (manifest === undefined && boxes === undefined) continue;
    return (path) => {
      const [fromManifest, fromBoxes] = [manifest, boxes].map((map) => map?.get(prefix + path));
      return fromManifest || fromBoxes ? { ...fromManifest, ...fromBoxes } : undefined;
    };
  }
  return () => undefined;
}
