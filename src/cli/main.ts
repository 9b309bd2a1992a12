#!/usr/bin/env node
import { fitToPrint } from "../core/quote.ts";
import { type Leader, leading, openRanks, type Ranks, speaks } from "../ranks/index.ts";
import { DONE, FAILED, failureOf } from "./failure.ts";
import { interruption } from "./interruption.ts";
import { introduce } from "./introduce.ts";
import { PARENT } from "./parent.ts";
import { createPrinter, printable, type Printer } from "./printer.ts";
import { type Picked, readArguments } from "./program.ts";
import type { Call } from "./verb.ts";

const WATCH_MS = 500;
const TOLD_MS = 2500; // in which the rank that says why is heard

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

function report(error: unknown, printer: Printer, rank = 0): number {
  const { text, hint, code } = failureOf(error);
  printer.redraw("");
  const { red, dim } = printer.colours;
  const who = rank === 0 ? "" : `rank ${rank}: `;
  process.stderr.write(`${red("error")} ${who}${printable(fitToPrint(text), false)}\n`);
  if (hint !== undefined) process.stderr.write(`${dim("  hint:")} ${printable(hint, false)}\n`);
  return code;
}

/** Runs a verb in this process, the first of those that it runs over. */
async function lead(picked: Picked, call: Omit<Call, "words" | "options" | "specs">) {
  if (picked.options.plugin !== undefined) {
    const { loadPlugins } = await import("../config/plugins.ts");
    await loadPlugins(picked.options.plugin);
  }
  const run = await picked.verb.load();
  const answer = await run({ ...picked, ...call });
  const { printer } = call;
  printer.redraw("");
  printer.answer(answer);
  return picked.verb.failed?.(answer) === true ? FAILED : DONE;
}

/**
 * What a rank beside the first does. Signals are for the first, which saves; where that is gone the launcher ends the
 * rest. Whatever goes wrong here ends all.
 */
async function follow({ verb }: Picked, ranks: Ranks, printer: Printer): Promise<number> {
  for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => undefined);
  try {
    const code = await (await verb.follow!())(ranks);
    await ranks.close();
    return code;
  } catch (error) {
    const code = report(error, printer, ranks.rank);
    ranks.abort(code);
    return code;
  }
}

async function main(argv: string[]): Promise<number> {
  const [json, quiet] = [argv.includes("--json"), argv.includes("--quiet")];
  const printer = createPrinter({ json, quiet, environment: process.env });
  const { signal, saves, code: interrupted } = interruption(printer);
  watchParent();
  let leader: Leader | undefined;
  const finish = async (code: number) => {
    const last = interrupted() ?? code;
    await leader?.dismiss(last);
    await leader?.ranks.close();
    return last;
  };
  try {
    const picked = await readArguments(argv);
    if (picked === undefined) return 0;
    const { verb } = picked;
    const ranks = await openRanks(process.env, verb.follow === undefined ? verb.name : undefined);
    await introduce(ranks, printer);
    if (ranks.rank > 0) return await follow(picked, ranks, printer);
    leader = leading(ranks);
    return await finish(await lead(picked, { printer, signal, saves, leader }));
  } catch (error) {
    if (leader === undefined && !speaks(process.env, error)) {
      await new Promise((resolve) => setTimeout(resolve, TOLD_MS)); // the launcher ends all where one ends
      return failureOf(error).code;
    }
    return finish(report(error, printer));
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
