#!/usr/bin/env node
import { DONE, FAILED, failureOf, INTERRUPTED } from "./failure.ts";
import { PARENT } from "./parent.ts";
import { createPrinter, type Printer } from "./printer.ts";
import { callOf, readArguments } from "./program.ts";

const WATCH_MS = 500;

/** Ctrl-C asks for an orderly end; a second one ends at once. */
function interruption(printer: () => Printer | undefined): AbortSignal {
  const controller = new AbortController();
  const stop = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) process.exit(INTERRUPTED);
    printer()?.note(
      name === "SIGINT" ? "interrupted, saving (once more ends at once)" : "ending, saving",
    );
    controller.abort(name);
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  watchParent(() => controller.abort());
  return controller.signal;
}

/** A process that another call of contrapose started ends in order when that one is gone. */
function watchParent(gone: () => void): void {
  const parent = Number(process.env[PARENT]);
  if (!(parent > 0)) return;
  setInterval(() => process.ppid !== parent && gone(), WATCH_MS).unref();
}

function report(error: unknown, printer: Printer): number {
  const { text, hint, code } = failureOf(error);
  printer.redraw("");
  const { red, dim } = printer.colours;
  process.stderr.write(`${red("error")} ${text}\n`);
  if (hint !== undefined) process.stderr.write(`${dim("  hint:")} ${hint}\n`);
  return code;
}

async function main(argv: string[]): Promise<number> {
  const [json, quiet] = [argv.includes("--json"), argv.includes("--quiet")];
  const printer = createPrinter({ json, quiet, environment: process.env });
  const signal = interruption(() => printer);
  try {
    const picked = readArguments(argv);
    if (picked === undefined) return 0;
    const run = await picked.verb.load();
    const answer = await run(callOf(picked, { printer, signal }));
    printer.redraw("");
    if (json) process.stdout.write(`${JSON.stringify(answer)}\n`);
    if (signal.aborted) return INTERRUPTED;
    return picked.verb.failed?.(answer) === true ? FAILED : DONE;
  } catch (error) {
    const code = report(error, printer);
    return signal.aborted ? INTERRUPTED : code;
  }
}

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(process.exitCode ?? 0); // the reader has seen enough
  throw error;
});
process.stderr.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error; // progress that nobody reads any more ends no run
});

const code = await main(process.argv.slice(2));
process.exitCode = code;
// worker threads and native sessions may hold the process although all is written and done
process.stdout.write("", () => process.exit(code));
