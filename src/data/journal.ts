import { existsSync } from "node:fs";
import { open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";

import { explained } from "../files/index.ts";
import { byteLength, shardName } from "./packedIndex.ts";
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

function parse(line: string): (StoredImage & { key?: string }) | undefined {
  try {
    return JSON.parse(line) as StoredImage & { key?: string };
  } catch {
    return undefined; // cut short
  }
}

async function areWhole(folder: string, images: readonly StoredImage[]): Promise<boolean[]> {
  const whole: boolean[] = [];
  let shard = -1;
  let file: Awaited<ReturnType<typeof open>> | undefined;
  try {
    for (const image of images) {
      if (image.shard !== shard) {
        await file?.close();
        shard = image.shard;
        file = await open(join(folder, shardName(shard)), "r").catch(() => undefined);
      }
      const bytes = Buffer.alloc(byteLength(image));
      const read = await file?.read(bytes, 0, bytes.length, image.offset);
      whole.push(read?.bytesRead === bytes.length && crc32(bytes) === image.crc);
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
  const lines = text.split("\n").map(parse);
  const keys = lines.filter((line) => line?.key !== undefined);
  if (keys.some((line) => line?.key !== key)) return [];
  const images = lines.filter((line) => line?.id !== undefined) as StoredImage[];
  const whole = await areWhole(folder, images);
  return images.filter((_, i) => whole[i]);
}
