import { spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Job } from "./wire.ts";

/** What to do: a verb of contrapose with its words. */
export type Order = {
  readonly verb: string;
  readonly words: readonly string[];
  readonly title: string;
  readonly about: string;
  /** A config that `--config` names. */
  readonly config?: unknown;
  /** Whether it goes on when the studio ends, as a training does. */
  readonly outlives?: boolean;
};

/** Work under way and work that was done, by processes of their own. */
export type Jobs = {
  list(): Job[];
  /** Starts work; the same that is under way already is not started twice. */
  start(order: Order): Job;
  /** What a job printed with --json; undefined while it works and where it failed. */
  answer(id: string): unknown;
  /** A path for what a verb writes and nobody needs. */
  scratch(name: string): string;
  close(): void;
};

type Kept = { job: Job; order: string; answer?: unknown; end: () => void };

const MOST = 50; // jobs remembered
const lastLine = (text: string): string => text.trimEnd().split("\n").at(-1)?.trim() ?? "";

function readSaid(path: string): string {
  try {
    return readFileSync(path, "utf8").slice(-8192);
  } catch {
    return "";
  }
}

/** The sentence of a failure, with its hint, from what the command line wrote. */
function failureIn(said: string): string {
  const at = said.lastIndexOf("error ");
  const text = at < 0 ? lastLine(said) : said.slice(at + 6);
  return text.replace(/\s*\n\s*hint:\s*/, ". Hint: ").trim() || "it ended without a word";
}

function answerIn(path: string): unknown {
  try {
    return JSON.parse(lastLine(readFileSync(path, "utf8")));
  } catch {
    return undefined;
  }
}

/** How processes are made: the program, what it is told, and where what it says is kept. */
type Launcher = {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly folder: string;
};

function launch(order: Order, id: string, { command, environment, folder }: Launcher): Kept {
  const { verb, words, title, about, config, outlives = false } = order;
  const [out, err, file] = ["out", "err", "json"].map((end) => join(folder, `${id}.${end}`));
  if (config !== undefined) writeFileSync(file, JSON.stringify(config));
  const more = config === undefined ? [] : ["--config", file];
  const files = [openSync(out, "w"), openSync(err, "w")];
  const child = spawn(command[0], [...command.slice(1), verb, ...words, ...more, "--json"], {
    stdio: ["ignore", files[0], files[1]],
    detached: outlives,
    env: { ...process.env, ...(outlives ? {} : environment) },
  });
  files.forEach(closeSync);
  if (outlives) child.unref();
  const entry: Kept = {
    order: JSON.stringify(order),
    end: () => void (outlives || child.exitCode !== null || child.kill("SIGTERM")),
    job: { id, verb, title, about, state: "running", text: "" },
  };
  const ended = (code: number | null) => {
    const said = readSaid(err);
    entry.answer = answerIn(out);
    const text = lastLine(said);
    const fine = code === 0 || code === 130 || code === 143; // done, or asked to end
    entry.job = fine
      ? { ...entry.job, state: "done", text }
      : { ...entry.job, state: "failed", text, error: failureIn(said) };
  };
  child.on("error", () => ended(1));
  child.on("exit", ended);
  return entry;
}

/**
 * Runs verbs as processes.
 *
 * @param command the program and its first words, to which the verb is added
 * @param environment what such a process is told beside what this one was: with which process it ends
 */
export function openJobs(
  command: readonly string[],
  environment: Readonly<Record<string, string>>,
): Jobs {
  const folder = mkdtempSync(join(tmpdir(), "contrapose-studio-"));
  const kept: Kept[] = [];
  let number = 0;
  return {
    list: () =>
      kept.map(({ job }) =>
        job.state === "running"
          ? { ...job, text: lastLine(readSaid(join(folder, `${job.id}.err`))) }
          : job,
      ),
    start(order) {
      const mark = JSON.stringify(order);
      const same = kept.find((one) => one.order === mark && one.job.state === "running");
      if (same !== undefined) return same.job;
      const entry = launch(order, String(++number), { command, environment, folder });
      kept.push(entry);
      if (kept.length > MOST) kept.splice(0, kept.length - MOST);
      return entry.job;
    },
    scratch: (name) => join(folder, name),
    answer: (id) => kept.find(({ job }) => job.id === id)?.answer,
    close() {
      const trains = kept.some(({ job }) => job.state === "running" && job.verb === "train");
      for (const { end } of kept) end();
      if (!trains) rmSync(folder, { recursive: true, force: true });
    },
  };
}
