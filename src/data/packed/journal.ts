import { existsSync } from "node:fs";
import { open, readFile, rm } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";

import { z } from "zod";

import { parseJson } from "../../core/json.ts";
import { explained } from "../../files/index.ts";
import { byteLength, shardName, storedImage } from "./packedIndex.ts";
import type { StoredImage } from "./packedIndex.ts";

/** Name of the file that lists what is packed but not in the index yet. */
export const journalName = "journal.jsonl";

/** Notes of images as they are packed, from which a packing that was stopped goes on. */
export type Journal = {
  add(image: StoredImage): void;
  /** Writes what was added. Call when the pixels of those images are written. */
  flush(): Promise<void>;
  close(): Promise<void>;
};

/** Goes on with the journal of a folder, or starts one; `key` says what is being packed and how. */
export async function openJournal(folder: string, key: string): Promise<Journal> {
  const path = join(folder, journalName);
  const file = await explained("write", path, () => open(path, "a"));
  let lines: string[] = [JSON.stringify({ key })];
  const flush = async () => {
    const text = lines.map((line) => `${line}\n`).join("");
    lines = [];
    if (text !== "") await explained("write", path, () => file.appendFile(text));
  };
  return {
    add: (image) => lines.push(JSON.stringify(image)),
    flush,
    close: () => file.close(),
  };
}

/** Whether a packing in a folder was stopped, or is going on. */
export const hasJournal = (folder: string): boolean => existsSync(join(folder, journalName));

/** Removes the journal of a folder. */
export async function removeJournal(folder: string): Promise<void> {
  const path = join(folder, journalName);
  await explained("remove", path, () => rm(path, { force: true }));
}

const journalLine = z.union([z.strictObject({ key: z.string() }), storedImage]);

/** What a line says; undefined where it was cut short or damaged: its image is packed again. */
function parse(line: string): z.output<typeof journalLine> | undefined {
  try {
    return journalLine.safeParse(parseJson(line)).data;
  } catch {
    return undefined;
  }
}

/** Whether the pixels of an image are in its file as they were stored. */
async function isWhole(file: FileHandle, image: StoredImage): Promise<boolean> {
  const { size } = await file.stat();
  if (image.offset + byteLength(image) > size) return false; // before as much is allocated
  const bytes = Buffer.alloc(byteLength(image));
  const { bytesRead } = await file.read(bytes, 0, bytes.length, image.offset);
  return bytesRead === bytes.length && crc32(bytes) === image.crc;
}

/** Those of stored images whose pixels are in their files as they were stored. */
export async function wholeImages(
  folder: string,
  images: readonly StoredImage[],
): Promise<StoredImage[]> {
  const whole: StoredImage[] = [];
  let shard = -1;
  let file: FileHandle | undefined;
  try {
    for (const image of images) {
      if (image.shard !== shard) {
        await file?.close();
        shard = image.shard;
        file = await open(join(folder, shardName(shard)), "r").catch(() => undefined);
      }
      if (file !== undefined && (await isWhole(file, image))) whole.push(image);
    }
  } finally {
    await file?.close();
  }
  return whole;
}

/**
 * Images that an unfinished packing of the same things had stored; none where it packed others.
 *
 * Each is read back and compared with its checksum: after a power cut a journal can be ahead of its
 * pixels.
 */
export async function readJournal(folder: string, key: string): Promise<StoredImage[]> {
  const path = join(folder, journalName);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    return explained("read", path, () => Promise.reject(error as Error));
  }
  const lines = text.split("\n").flatMap((line) => parse(line) ?? []);
  if (lines.some((line) => "key" in line && line.key !== key)) return [];
  return wholeImages(
    folder,
    lines.filter((line) => "id" in line),
  );
}
