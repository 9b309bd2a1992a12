import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";

import { explained } from "../../files/index.ts";
import { shardName } from "./packedIndex.ts";

/** Where bytes were put. */
export type Place = { readonly shard: number; readonly offset: number };

/** Writes images one after another into new shard files. */
export type ShardWriter = {
  /** Adds the bytes of an image; they are on their way to the disk once `flush` is through. */
  append(bytes: Uint8Array): Promise<Place>;
  flush(): Promise<void>;
  /** Flushes and forces everything to the disk. */
  close(): Promise<void>;
};

const BUFFER = 4 * 2 ** 20; // bytes held back so that small images make few writes

/** Starts shard files in a folder, numbered from `first`. None exists before there is something in it. */
export function shardWriter(folder: string, first: number, shardBytes: number): ShardWriter {
  let shard = first;
  let file: FileHandle | undefined;
  let written = 0; // bytes in the file
  let held = 0; // bytes in the buffer
  const buffer = Buffer.allocUnsafe(BUFFER);
  const path = () => join(folder, shardName(shard));
  const put = (bytes: Uint8Array) =>
    explained("write", path(), async () => {
      file ??= await open(path(), "wx");
      for (let at = 0; at < bytes.length;) {
        at += (await file.write(bytes, at, bytes.length - at, written + at)).bytesWritten;
      }
      written += bytes.length;
    });
  const flush = async () => {
    if (held > 0) await put(buffer.subarray(0, held));
    held = 0;
  };
  const close = async () => {
    await flush();
    const done = file;
    file = undefined;
    if (done === undefined) return;
    await explained("write", path(), () => done.sync().finally(() => done.close()));
  };
  const append = async (bytes: Uint8Array): Promise<Place> => {
    if (written + held > 0 && written + held + bytes.length > shardBytes) {
      await close();
      shard += 1;
      written = 0;
    }
    const place = { shard, offset: written + held };
    if (held + bytes.length > BUFFER) await flush();
    if (bytes.length > BUFFER) await put(bytes);
    else {
      buffer.set(bytes, held);
      held += bytes.length;
    }
    return place;
  };
  return { append, flush, close };
}
