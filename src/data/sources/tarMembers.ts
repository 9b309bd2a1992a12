import { basename } from "node:path";
import { Readable } from "node:stream";

import { extract } from "tar-stream";
import type { Header } from "tar-stream";

import { pieces, LARGEST, readingError } from "./records.ts";
import type { Skipped } from "./source.ts";

/** A member of an archive as it is passed. */
export type TarMember = {
  readonly name: string; // without a leading ./
  readonly number: number; // within the archive
  readonly size: number; // bytes
  /** Its content. Asked for before the next member or not at all. */
  bytes(): Promise<Uint8Array>;
};

/** Why a member is not read, or undefined where it is. */
function leftOut(name: string, { type, size = 0 }: Header): Omit<Skipped, "path"> | undefined {
  if (type !== "file" && type !== "contiguous-file") {
    return { reason: `a ${type ?? "thing of an unknown kind"}, not a file`, ignored: true };
  }
  if (basename(name).startsWith(".")) return { reason: "hidden file", ignored: true };
  return size > LARGEST ? { reason: `too large (${size} bytes)` } : undefined;
}

async function contentOf(entry: AsyncIterable<unknown>): Promise<Uint8Array> {
  const got: Uint8Array[] = [];
  for await (const piece of entry) got.push(piece as Uint8Array);
  return Buffer.concat(got);
}

/**
 * The files in a tar archive, one after another; what is no file is told to `skip`. One member is held
 * at a time, and only where its content is asked for. Throws where the archive is damaged.
 */
export async function* tarMembers(
  file: string,
  skip: (skipped: Skipped) => void,
): AsyncGenerator<TarMember> {
  const unpack = extract();
  const bytes = Readable.from(pieces(file));
  bytes.on("error", (error) => unpack.destroy(error));
  bytes.pipe(unpack);
  let number = 0;
  try {
    for await (const entry of unpack) {
      const { header } = entry;
      const name = header.name.replace(/^(\.\/)+/, "");
      const left = leftOut(name, header);
      if (left !== undefined && header.type !== "directory") skip({ path: name, ...left });
      let read = false;
      if (left === undefined) {
        const content = () => {
          read = true;
          return contentOf(entry).catch((error: unknown) => {
            throw readingError(error, basename(file));
          });
        };
        yield { name, number: number++, size: header.size ?? 0, bytes: content };
      }
      if (!read) entry.resume();
    }
  } catch (error) {
    throw readingError(error, basename(file));
  } finally {
    bytes.destroy();
  }
}
