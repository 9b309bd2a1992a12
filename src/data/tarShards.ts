import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { Readable } from "node:stream";

import { extract } from "tar-stream";
import type { Header } from "tar-stream";

import { ContraposeError } from "../core/errors.ts";
import { explained } from "../files/index.ts";
import { pieces, readingError } from "./records.ts";
import { messageOf } from "./source.ts";
import type { ImageSource, RawEntry, Skipped, SourceOptions } from "./source.ts";
import { chooseSplit } from "./split.ts";
import { isImageName } from "./walk.ts";

type Part = { readonly name: string; readonly bytes: Uint8Array };

const LARGEST = 256 * 2 ** 20; // bytes of a member

/** What the members of one sample share: the path up to the first dot of the file name. */
export function keyOf(name: string): string {
  const start = name.lastIndexOf("/") + 1;
  const dot = name.indexOf(".", start + 1);
  return dot === -1 ? name : name.slice(0, dot);
}

const asLabel = (value: unknown): string | undefined =>
  typeof value === "number" || (typeof value === "string" && value !== "")
    ? String(value)
    : undefined;

/** What the members beside an image say of it. */
function factsOf(key: string, parts: readonly Part[], skip: (skipped: Skipped) => void) {
  const text = (ending: string) => {
    const part = parts.find(({ name }) => name === `${key}.${ending}`);
    return part && Buffer.from(part.bytes).toString("utf8").trim();
  };
  let record: Record<string, unknown> = {};
  try {
    const value: unknown = JSON.parse(text("json") ?? "{}");
    if (typeof value === "object" && value !== null) record = value as typeof record;
  } catch (error) {
    const reason = `is no JSON (${messageOf(error)}); its label is left out`;
    skip({ path: `${key}.json`, reason, ignored: true });
  }
  const fromJson = [record.label, record.cls, record.class].map(asLabel);
  const label = text("cls") ?? fromJson.find((value) => value !== undefined);
  const group = asLabel(record.group);
  return {
    ...(label === undefined || label === "" ? {} : { label }),
    ...(group === undefined ? {} : { group }),
  };
}

async function bytesOf(entry: AsyncIterable<unknown>): Promise<Uint8Array> {
  const got: Uint8Array[] = [];
  for await (const piece of entry) got.push(piece as Uint8Array);
  return Buffer.concat(got);
}

/** Why a member is not read, or undefined where it is. */
function leftOut(name: string, { type, size = 0 }: Header): Omit<Skipped, "path"> | undefined {
  if (type !== "file" && type !== "contiguous-file") {
    return { reason: `a ${type}, not a file`, ignored: true };
  }
  if (basename(name).startsWith(".")) return { reason: "hidden file", ignored: true };
  return size > LARGEST ? { reason: `too large (${size} bytes)` } : undefined;
}

/** Samples of an archive: neighbouring members with one key. */
async function* samples(
  file: string,
  skip: (skipped: Skipped) => void,
): AsyncGenerator<{ key: string; parts: Part[] }> {
  const unpack = extract();
  const bytes = Readable.from(pieces(file));
  bytes.on("error", (error) => unpack.destroy(error));
  bytes.pipe(unpack);
  let [key, parts]: [string, Part[]] = ["", []];
  try {
    for await (const entry of unpack) {
      const name = entry.header.name.replace(/^(\.\/)+/, "");
      const left = leftOut(name, entry.header);
      if (left !== undefined) {
        if (entry.header.type !== "directory") skip({ path: name, ...left });
        entry.resume();
        continue;
      }
      if (parts.length > 0 && keyOf(name) !== key) {
        yield { key, parts };
        parts = [];
      }
      key = keyOf(name);
      parts.push({ name, bytes: await bytesOf(entry) });
    }
  } catch (error) {
    if (parts.length > 0) yield { key, parts };
    throw readingError(error, basename(file));
  }
  if (parts.length > 0) yield { key, parts };
}

async function* shardEntries(
  file: string,
  skip: (skipped: Skipped) => void,
  options: SourceOptions,
): AsyncGenerator<RawEntry> {
  const shard = basename(file);
  const within = (skipped: Skipped) => skip({ ...skipped, path: `${shard}/${skipped.path}` });
  const { mtimeMs } = await explained("read", shard, () => stat(file));
  for await (const { key, parts } of samples(file, within)) {
    const images = parts.filter(({ name }) => isImageName(name));
    const { label, group } = factsOf(key, parts, within);
    for (const { name, bytes } of images) {
      yield {
        id: `${shard}/${name}`,
        path: `${shard}/${name}`,
        stamp: `${bytes.length}-${Math.round(mtimeMs)}`,
        ...(label === undefined || options.labels === "none" ? {} : { label }),
        // Pictures of one sample are of one thing.
        ...(group === undefined
          ? images.length > 1
            ? { group: `${shard}/${key}` }
            : {}
          : { group }),
        load: () => Promise.resolve({ bytes }),
      };
    }
  }
}

/**
 * Images in tar archives in the manner of WebDataset, also gzipped: neighbouring members whose paths
 * agree up to the first dot are one sample, its label is in `.cls` or in `label` of `.json`.
 *
 * @param path of the folder, or of one archive
 */
export function tarSource(
  path: string,
  files: readonly string[],
  options: SourceOptions = {},
): ImageSource {
  const names = files.map((file) => basename(file));
  const chosen = chooseSplit(names, files.length === 1 ? "all" : (options.split ?? "auto"));
  const kept = files.filter((_, i) => chosen.kept.includes(names[i]));
  async function* entries(skip: (skipped: Skipped) => void): AsyncGenerator<RawEntry> {
    for (const file of kept) {
      try {
        yield* shardEntries(file, skip, options);
      } catch (error) {
        if (!(error instanceof ContraposeError)) throw error;
        skip({ path: basename(file), reason: error.message });
      }
    }
  }
  return { kind: "tar", path, ...chosen.about, entries };
}
