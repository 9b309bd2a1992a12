import { spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { lockHolder } from "../../../files/index.ts";
import { PARENT } from "../../parent.ts";
import type { Answer } from "../../verb.ts";

/** How a call of this command line by itself ended. */
export type ChildEnd = {
  readonly code: number | null;
  readonly answer: Answer | undefined; // what it printed, where it did what was asked
  readonly error: string; // its sentence, where it did not
};

const KEPT = 20_000; // characters of messages that are looked through for an error

/** The sentence after `error` in the messages of a call. */
export function errorOf(
  messages: string,
  code: number | null,
  signal: NodeJS.Signals | null,
): string {
  const found = messages.split("\n").findLast((line) => line.startsWith("error "));
  if (found !== undefined) return found.slice(6);
  if (/heap out of memory|Array buffer allocation failed/.test(messages)) {
    return "the process ran out of memory: a smaller batch, queue or image size, or fewer runs at once";
  }
  if (signal === "SIGKILL") {
    return "the process was killed (SIGKILL), as a system short of memory does: a smaller batch, queue or image size, or fewer runs at once";
  }
  return `the process ended with ${signal ?? code}`;
}

function answerOf(out: string): Answer | undefined {
  try {
    return JSON.parse(out.trimEnd().split("\n").at(-1) ?? "") as Answer;
  } catch {
    return undefined;
  }
}

/**
 * Runs a verb in a process of its own, which saves and ends when the signal comes. It is in a group of
 * its own, so that Ctrl-C reaches it once, through here. When this process is killed it saves and ends too.
 */
export function runChild(args: readonly string[], signal: AbortSignal): Promise<ChildEnd> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [process.argv[1], ...args, "--json"], {
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, [PARENT]: String(process.pid) },
    });
    const stop = () => void child.kill("SIGINT");
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    let [out, messages] = ["", ""];
    child.stdout.on("data", (bytes: Buffer) => (out += bytes.toString()));
    child.stderr.on("data", (bytes: Buffer) => {
      messages = (messages + bytes.toString()).slice(-KEPT);
    });
    child.on("error", reject);
    child.on("close", (code, killedBy) => {
      signal.removeEventListener("abort", stop);
      const answer = code === 0 ? answerOf(out) : undefined;
      resolve({ code, answer, error: code === 0 ? "" : errorOf(messages, code, killedBy) });
    });
  });
}

const PATIENCE = 30; // seconds

/** Waits for the process that a killed call left behind in a run: it sees that, saves and ends by itself. */
export async function released(run: string): Promise<void> {
  const until = performance.now() + 1000 * PATIENCE;
  while (lockHolder(join(run, "run")) !== undefined && performance.now() < until) await pause(200);
}

/** Runs jobs in their order, a few at a time; takes no more once the signal is given. */
export async function inParallel<T>(
  jobs: readonly T[],
  parallel: number,
  signal: AbortSignal,
  run: (job: T) => Promise<void>,
): Promise<void> {
  const queue = [...jobs];
  const work = async () => {
    for (let job = queue.shift(); job !== undefined && !signal.aborted; job = queue.shift()) {
      await run(job);
    }
  };
  await Promise.all(Array.from({ length: parallel }, work));
}
