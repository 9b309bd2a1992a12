#!/usr/bin/env node
import { fitToPrint } from "../core/quote.ts";
import { DONE, FAILED, failureOf } from "./failure.ts";
import { interruption } from "./interruption.ts";
import { PARENT } from "./parent.ts";
import { createPrinter, printable, type Printer } from "./printer.ts";
import { readArguments } from "./program.ts";

const WATCH_MS = 500;

/** A process that another call of contrapose started ends as by a signal when that one is gone. */
function watchParent(): void {
  const parent = Number(process.env[PARENT]);
  if (!(parent > 0)) return;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    process.kill(process.pid, "SIGTERM");
  }, WATCH_MS).unref();
}

function report(error: unknown, printer: Printer): number {
  const { text, hint, code } = failureOf(error);
  printer.redraw("");
  const { red, dim } = printer.colours;
  process.stderr.write(`${red("error")} ${printable(fitToPrint(text), false)}\n`);
  if (hint !== undefined) process.stderr.write(`${dim("  hint:")} ${printable(hint, false)}\n`);
  return code;
}

async function main(argv: string[]): Promise<number> {
  const [json, quiet] = [argv.includes("--json"), argv.includes("--quiet")];
  const printer = createPrinter({ json, quiet, environment: process.env });
  const { signal, saves, code: interrupted } = interruption(printer);
  watchParent();
  try {
    const picked = await readArguments(argv);
    if (picked === undefined) return 0;
    if (picked.options.plugin !== undefined) {
      const { loadPlugins } = await import("../config/plugins.ts");
      await loadPlugins(picked.options.plugin);
    }
    const run = await picked.verb.load();
    const answer = await run({ ...picked, printer, signal, saves });
    printer.redraw("");
    printer.answer(answer);
    const done = picked.verb.failed?.(answer) === true ? FAILED : DONE;
    return interrupted() ?? done;
  } catch (error) {
    const code = report(error, printer);
    return interrupted() ?? code;
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
