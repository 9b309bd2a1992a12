import { execFileSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  utimesSync,
} from "node:fs";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { ConfigError, DataError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";
import { fileError } from "./fileError.ts";
import { isRunning } from "./isRunning.ts";
import { makeFolder } from "./makeFolder.ts";

/** A place that this process alone writes to, until `release`. */
export type Lock = {
  /** Throws `DataError` where the lock is gone: the folder was removed, or made anew by somebody else. */
  check(): void;
  release(): void;
};

export type LockOptions = {
  /** The place and what is done to it, `"runs/a" is being trained`. */
  readonly what: string;
  /** Seconds to wait for another process; none by default. */
  readonly patience?: number;
  /** Is told where the lock of a process that is gone is taken over. */
  readonly note?: ((text: string) => void) | undefined;
};

type Owner = { readonly pid: number; readonly started: string; readonly host: string };

const HEARTBEAT = 20_000; // milliseconds
const SILENCE = 300_000; // milliseconds after which a process of another machine counts as gone
const TRIES = 5; // where two processes come at the same moment

/** When a process started, in a form that no later process of its number has; "" where that is not known. */
function startOf(pid: number): string {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const ticks = text.slice(text.lastIndexOf(")")).split(" ")[20]; // since the machine started
    return `${ticks}-${readFileSync("/proc/sys/kernel/random/boot_id", "utf8").slice(0, 8)}`;
  } catch {
    return process.platform === "win32" || process.platform === "linux" ? "" : startByPs(pid);
  }
}

function startByPs(pid: number): string {
  try {
    const said = execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" });
    return said.trim().replace(/\W+/g, "-");
  } catch {
    return "";
  }
}

const here = (): string => encodeURIComponent(hostname()).slice(0, 100);

/** The name says whose lock it is, so that a lock is there whole or not at all. */
const nameOf = (base: string, { pid, started, host }: Owner): string =>
  `${basename(base)}.lock.${pid}.${started}@${host}`;

function ownerOf(base: string, name: string): Owner | undefined {
  const start = `${basename(base)}.lock.`;
  const parts = name.startsWith(start) && /^(\d+)\.([^@]*)@(.+)$/.exec(name.slice(start.length));
  return parts ? { pid: Number(parts[1]), started: parts[2], host: parts[3] } : undefined;
}

function isAlive(base: string, owner: Owner, mine: string): boolean {
  if (owner.host === here()) {
    return isRunning(owner.pid) && startOf(owner.pid) === owner.started;
  }
  // Of another machine: alive as long as it is touched, by the clock of the disk that both are on.
  const other = join(dirname(base), nameOf(base, owner));
  const [theirs, ours] = [other, mine].map((path) => statSync(path, { throwIfNoEntry: false }));
  return theirs !== undefined && (ours?.mtimeMs ?? Date.now()) - theirs.mtimeMs < SILENCE;
}

/** Locks beside `base` that are not `mine`: those of processes at work, and those left by processes that are gone. */
function others(base: string, mine: string) {
  const names = existsSync(dirname(base)) ? readdirSync(dirname(base)) : [];
  const owners = names.flatMap((name) => ownerOf(base, name) ?? []);
  const foreign = owners.filter((owner) => join(dirname(base), nameOf(base, owner)) !== mine);
  return {
    alive: foreign.filter((owner) => isAlive(base, owner, mine)),
    gone: foreign.filter((owner) => !isAlive(base, owner, mine)),
  };
}

/** The process that holds a place, undefined where none does. */
export function lockHolder(base: string): number | undefined {
  return others(base, "").alive.at(0)?.pid;
}

/** The process of this machine that holds a place; undefined where none does, or one of another machine. */
export function localHolder(base: string): number | undefined {
  return others(base, "").alive.find(({ host }) => host === here())?.pid;
}

/** Whether a name in a folder is that of a lock. */
export const isLockName = (name: string): boolean => /\.lock\.\d+\.[^@]*@/.test(name);

/** Writes the own lock; false where this process has one there already. */
function write(mine: string): boolean {
  for (let tries = 1; ; tries++) {
    makeFolder(dirname(mine));
    try {
      closeSync(openSync(mine, "wx"));
      return true;
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      if (code === "EEXIST") return false;
      // the folder may have gone again with somebody else's lock
      if (code !== "ENOENT" || tries >= TRIES) throw fileError(error, "write", mine);
    }
  }
}

function refusal(what: string, base: string, owner: Owner): ConfigError {
  const where = owner.host === here() ? "" : ` on ${decodeURIComponent(owner.host)}`;
  const lock = join(dirname(base), nameOf(base, owner));
  return new ConfigError(
    `${what} by process ${owner.pid}${where}`,
    `wait for it or end it; if there is no such process, delete ${quoted(lock)}`,
  );
}

function held(base: string, mine: string, made: boolean): Lock {
  const touch = () => {
    if (existsSync(mine)) utimesSync(mine, new Date(), new Date());
  };
  const heart = setInterval(touch, HEARTBEAT).unref();
  return {
    check() {
      if (existsSync(mine)) return;
      throw new DataError(
        `${quoted(dirname(base))} was removed or replaced while this process wrote to it`,
        "what was not saved before is lost",
      );
    },
    release() {
      clearInterval(heart);
      rmSync(mine, { force: true });
      if (made && existsSync(dirname(mine)) && readdirSync(dirname(mine)).length === 0)
        rmdirSync(dirname(mine));
    },
  };
}

/**
 * Locks a place against all other processes, or throws `ConfigError` with the number of the one that has it.
 *
 * Each process puts down a file of its own, `BASE.lock.PID.START@HOST`, then looks at those of others: a file
 * of a process that is gone never comes to life again, so whoever sees it may remove it, and of two processes
 * that come at the same moment at least one sees the other. Both may: they try again, at different times.
 */
export async function lock(base: string, { what, patience = 0, note }: LockOptions): Promise<Lock> {
  const owner = { pid: process.pid, started: startOf(process.pid), host: here() };
  const mine = join(dirname(base), nameOf(base, owner));
  const made = !existsSync(dirname(base));
  const until = performance.now() + 1000 * patience;
  for (let tries = 1; ; tries++) {
    let holder: Owner | undefined = owner;
    if (write(mine)) {
      const { alive, gone } = others(base, mine);
      for (const { pid } of gone) note?.(`took over the lock of process ${pid}, which is gone`);
      for (const one of gone) rmSync(join(dirname(base), nameOf(base, one)), { force: true });
      if (alive.length === 0) return held(base, mine, made);
      rmSync(mine, { force: true });
      [holder] = alive;
    }
    if (tries >= TRIES && performance.now() >= until) throw refusal(what, base, holder);
    await pause(20 + 80 * Math.random());
  }
}
