import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";

import { DataError } from "../../core/errors.ts";
import { workerUrl } from "../../files/index.ts";
import type { DecodedImage, DecodeSettings } from "./decodeBytes.ts";

/** What the process is asked. */
export type DecodeJob = { readonly bytes: Uint8Array; readonly settings: DecodeSettings };

/** What the process says: that it can begin, or what became of a job. */
export type DecodeReply =
  | { readonly ready: true }
  | { readonly decoded: DecodedImage }
  | { readonly failed: string; readonly plain: boolean }; // plain: a reason in our own words

let running: ChildProcess | undefined;
let last: Promise<unknown> = Promise.resolve();

/** The next thing a process says. Rejects, and ends it, where it dies, time runs out or the signal comes. */
function nextReply(
  child: ChildProcess,
  seconds: number,
  signal: AbortSignal | undefined,
): Promise<DecodeReply> {
  return new Promise((resolve, reject) => {
    const settle = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      child.off("message", hear).off("exit", died).off("error", fail);
    };
    const fail = (error: unknown) => {
      settle();
      child.kill("SIGKILL");
      if (running === child) running = undefined;
      reject(error instanceof Error ? error : new Error(String(error)));
    };
    const hear = (reply: DecodeReply) => {
      settle();
      resolve(reply);
    };
    const abort = () => fail(signal!.reason);
    const died = () => fail(new DataError("decoding it ended the process that tried"));
    const late = () => fail(new DataError(`decoding it takes longer than ${seconds} seconds`));
    const timer = setTimeout(late, 1000 * seconds);
    signal?.addEventListener("abort", abort);
    child.once("message", hear).once("exit", died).once("error", fail);
    if (signal?.aborted === true) abort();
  });
}

const STARTING = 60; // seconds

async function started(signal: AbortSignal | undefined): Promise<ChildProcess> {
  if (running?.connected === true) return running;
  const child = fork(workerUrl("decodeChild", import.meta.url), {
    serialization: "advanced",
    execArgv: [],
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  running = child;
  child.unref(); // a timer keeps this process alive while a job is under way
  await nextReply(child, STARTING, signal);
  child.channel?.unref();
  return child;
}

async function run(job: DecodeJob, signal: AbortSignal | undefined): Promise<DecodedImage> {
  signal?.throwIfAborted();
  const child = await started(signal);
  const answer = nextReply(child, job.settings.seconds, signal);
  child.send(job);
  const reply = await answer;
  if ("decoded" in reply) return reply.decoded;
  if (!("failed" in reply)) throw new Error("decoding: an answer out of turn");
  throw reply.plain ? new DataError(reply.failed) : new Error(reply.failed);
}

/**
 * Decodes in a process of its own, one image at a time, which is ended when time runs out or the signal
 * comes: what libvips does inside one operation cannot be interrupted otherwise.
 */
export function decodeApart(
  bytes: Uint8Array,
  settings: DecodeSettings,
  signal?: AbortSignal,
): Promise<DecodedImage> {
  const mine = last.then(() => run({ bytes, settings }, signal));
  last = mine.catch(() => undefined);
  return mine;
}
