import { constants } from "node:os";
import { Worker } from "node:worker_threads";

import type { Printer } from "./printer.ts";

const SIGNALS = ["SIGINT", "SIGTERM"] as const;
const PATIENCE = 4000; // milliseconds that saving may take

/** How a command ends when it is asked to. */
export type Interruption = {
  /** Aborted by a signal that came while the work saved itself. */
  readonly signal: AbortSignal;
  /** Says from when on the work saves itself once `signal` is aborted, and from when on no more. */
  readonly saves: (on: boolean) => void;
  /** Exit code of an interrupted command, 130 or 143; undefined where nobody asked it to end. */
  readonly code: () => number | undefined;
};

/** Ends the process by a signal after a while, from a thread of its own: this one may be busy. */
function endLater(name: NodeJS.Signals): void {
  const code = `setTimeout(() => process.kill(process.pid, ${JSON.stringify(name)}), ${PATIENCE})`;
  new Worker(code, { eval: true }).unref();
}

/**
 * SIGINT and SIGTERM end the process at once, by the system's own hand, even where it is busy in a parser or a
 * decoder that lets no handler run: files appear whole or not at all, so nothing is lost. Only work that saves
 * itself between short steps asks to be told instead; it has four seconds, and a second signal ends it at once.
 */
export function interruption(printer: Printer): Interruption {
  const controller = new AbortController();
  let ended: NodeJS.Signals | undefined;
  const codeOf = (name: NodeJS.Signals) => 128 + constants.signals[name];
  const stop = (name: NodeJS.Signals) => {
    saves(false);
    ended = name;
    endLater(name);
    printer.note(
      name === "SIGINT" ? "interrupted, saving (once more ends at once)" : "ending, saving",
    );
    controller.abort(name);
  };
  let told = false;
  const saves = (on: boolean) => {
    if (on === told || (on && ended !== undefined)) return;
    told = on;
    for (const name of SIGNALS) process[on ? "on" : "off"](name, stop);
  };
  if (process.pid === 1) {
    // The system ends the first process of a container by no signal that it does not handle itself.
    for (const name of SIGNALS) process.on(name, () => process.exit(codeOf(name)));
  }
  return { signal: controller.signal, saves, code: () => ended && codeOf(ended) };
}
