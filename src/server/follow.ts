import { closeSync, openSync, readSync, statSync } from "node:fs";

import type { RunRecord } from "../train/run/runFiles.ts";
import { recordsOf } from "./runStatus.ts";

const EVERY = 250; // milliseconds between two looks
const CHUNK = 4 * 2 ** 20; // bytes read at once

/** What a follower of a growing file is told: that it begins anew, then what was added. */
export type Following = {
  readonly start: () => void;
  readonly more: (records: readonly RunRecord[]) => void;
};

/** Reads the whole lines of a file behind `at`; the place behind them. */
function readLines(path: string, at: number): { text: string; at: number } {
  const file = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(CHUNK);
    const read = readSync(file, bytes, 0, CHUNK, at);
    const end = bytes.subarray(0, read).lastIndexOf(10) + 1;
    return { text: bytes.toString("utf8", 0, end), at: at + end };
  } finally {
    closeSync(file);
  }
}

/**
 * Follows a metrics.jsonl from its start. One that became shorter was cut back to a checkpoint by a run that goes on: it
 * begins anew. Returns what ends it.
 */
export function follow(path: string, { start, more }: Following): () => void {
  let at = 0;
  let known = 0;
  start();
  const look = () => {
    const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    if (size < known) {
      at = 0;
      start();
    }
    known = size;
    while (at < size) {
      const read = readLines(path, at);
      if (read.at === at) return; // a line that is being written
      at = read.at;
      more(recordsOf(read.text));
    }
  };
  look();
  const timer = setInterval(() => {
    try {
      look();
    } catch {
      // the folder went or cannot be read just now: looked at again
    }
  }, EVERY);
  return () => clearInterval(timer);
}
