import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { copyFile, open, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { ContraposeError, DataError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";
import { explained, lock, makeFolder, writeFileAtomic } from "../files/index.ts";
import { type HubId, placesOf } from "./place.ts";
import { type Answer, NetworkError, patience, requestFile, unreachable } from "./request.ts";

/** What is told of a download while it goes on, and what stops it. */
export type DownloadCalls = {
  readonly progress?: ((file: string, done: number, total: number | undefined) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
};

type Task = DownloadCalls & { readonly at: HubId; readonly path: string };

const TRIES = 4; // without a new byte
const PATIENCE = 600; // seconds that another process may take to fetch the same file

const sizeAt = async (path: string): Promise<number> =>
  (await stat(path).catch(() => undefined))?.size ?? 0;

/** The next piece of a body. Throws `NetworkError` where none comes in time or the connection is cut. */
async function nextPiece(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<Uint8Array | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new NetworkError(`nothing came for ${patience()} seconds`)),
      1000 * patience(),
    );
  });
  try {
    const { value } = await Promise.race([reader.read(), late]);
    return value;
  } catch (cause) {
    if (signal?.aborted === true) throw new ContraposeError("the download was interrupted");
    if (cause instanceof NetworkError) throw cause;
    throw new NetworkError("the connection was cut", { cause });
  } finally {
    clearTimeout(timer);
  }
}

/** Writes a body behind what a part holds already. */
async function append(
  part: string,
  answer: Answer,
  { path, progress, signal }: Task,
): Promise<void> {
  const file = await open(part, answer.start === 0 ? "w" : "a");
  const reader = answer.body?.getReader();
  let done = answer.start;
  try {
    while (reader !== undefined) {
      const piece = await nextPiece(reader, signal);
      if (piece === undefined) break;
      await file.write(piece);
      done += piece.length;
      progress?.(path, done, answer.size);
    }
    await file.sync();
  } finally {
    await reader?.cancel().catch(() => undefined);
    await file.close();
  }
  if (answer.size !== undefined && done < answer.size) {
    throw new NetworkError(`the connection was cut after ${done} of ${answer.size} bytes`);
  }
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  return hash.digest("hex");
}

/** Throws `DataError` where a part is not what was announced; the part is gone then. */
async function verify(part: string, answer: Answer, { at, path }: Task): Promise<void> {
  const size = await sizeAt(part);
  const wrong =
    answer.size !== undefined && size !== answer.size
      ? `has ${size} bytes, expected ${answer.size}`
      : answer.sha256 !== undefined && (await sha256Of(part)) !== answer.sha256
        ? "has another SHA-256 than announced"
        : undefined;
  if (wrong === undefined) return;
  await rm(part, { force: true });
  throw new DataError(`${at.id}: ${path} ${wrong}`, "it was damaged on the way: try again");
}

const safe = (tag: string): string => tag.replaceAll(/[^\w.-]/g, "_").slice(0, 128);

/** Fetches what is missing of a file into its blob, going on where an earlier try stopped. */
async function fetchBlob(first: Answer, task: Task): Promise<string> {
  const { at, path, signal } = task;
  const blob = join(placesOf(at).blobs, safe(first.tag));
  const part = `${blob}.incomplete`;
  let answer: Answer = first;
  let failures = 0;
  for (;;) {
    const had = await sizeAt(part);
    try {
      if (answer.start < 0 || (had > 0 && had !== answer.start)) {
        await answer.body?.cancel().catch(() => undefined);
        const again = await requestFile(at, path, { start: had, optional: false, signal });
        if (again === "absent") throw new NetworkError("the file is gone");
        answer = again.tag === first.tag || again.tag === "" ? again : { ...again, start: 0 };
      }
      await append(part, answer, task);
      break;
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error;
      failures = (await sizeAt(part)) > had ? 1 : failures + 1;
      if (failures >= TRIES) {
        throw new DataError(
          `${at.id}: ${path} could not be fetched whole: ${error.message}`,
          "try again: what has come is kept",
          { cause: error },
        );
      }
      await sleep(200 * failures);
      answer = { ...answer, start: -1 }; // to be asked for again
    }
  }
  await verify(part, { ...first, size: answer.size ?? first.size }, task);
  await rename(part, blob);
  return blob;
}

/** Gives a blob its name in the snapshot: a link, or a copy where links cannot be made. */
async function link(blob: string, to: string): Promise<void> {
  makeFolder(dirname(to));
  if (existsSync(to)) return;
  await symlink(relative(dirname(to), blob), to).catch(() => copyFile(blob, to));
}

async function firstAnswer(task: Task, optional: boolean): Promise<Answer | "absent"> {
  const { at, path, signal } = task;
  for (let failures = 1; ; failures++) {
    try {
      return await requestFile(at, path, { start: 0, optional, signal });
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error;
      if (failures >= 2) throw unreachable(at, path, error.message);
      await sleep(200);
    }
  }
}

/** A file of a hub in the cache, fetched now; undefined where it is optional and not there. */
export async function download(
  at: HubId,
  path: string,
  calls: DownloadCalls & { readonly optional: boolean },
): Promise<string | undefined> {
  const task = { at, path, progress: calls.progress, signal: calls.signal };
  const places = placesOf(at);
  return explained("write", places.folder, async () => {
    const answer = await firstAnswer(task, calls.optional);
    const commit = answer === "absent" ? undefined : (answer.commit ?? at.revision);
    if (answer === "absent" || commit === undefined) return undefined;
    if (answer.tag === "") throw new DataError(`${at.id}: the hub gives ${path} without an ETag`);
    makeFolder(places.blobs);
    const blob = join(places.blobs, safe(answer.tag));
    const what = `${quoted(at.id)}: ${path} is being fetched`;
    const held = await lock(blob, { what, patience: PATIENCE });
    try {
      if (existsSync(blob)) await answer.body?.cancel();
      else await fetchBlob(answer, task);
    } finally {
      held.release();
    }
    const to = join(places.snapshot(commit), ...path.split("/"));
    await link(blob, to);
    if (commit !== at.revision) {
      makeFolder(dirname(places.ref));
      await writeFileAtomic(places.ref, commit);
    }
    return to;
  });
}

/** Notes that a repository has no such file, so that it is not asked again. */
export async function noteAbsent(at: HubId, commit: string, path: string): Promise<void> {
  const to = join(placesOf(at).absent(commit), ...path.split("/"));
  makeFolder(dirname(to));
  await writeFile(to, "");
}
