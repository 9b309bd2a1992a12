import { statSync } from "node:fs";

import { examineRun } from "../train/index.ts";
import { runFolder } from "../train/run/runFolder.ts";
import type { Jobs } from "./jobs.ts";
import { type Places, placesFinder, type RunPlace } from "./places.ts";
import { runStatus } from "./runStatus.ts";
import type { Overview, RunStatus } from "./wire.ts";

const LEAST = 500; // milliseconds between two looks
const SHARE = 20; // of the time that a look takes
const DOCTOR = 3000; // milliseconds between two diagnoses of a run that is training

type Kept = { mark: string; status: RunStatus };
type Seen = { size: number; at: number; diagnosis: RunStatus["diagnosis"] };

/** The doctor's word on runs, asked anew where records were added. */
function doctors() {
  const seen = new Map<string, Seen>();
  const under = new Set<string>();
  const examine = async (path: string, size: number) => {
    under.add(path);
    const diagnosis = await examineRun(path).catch(() => ({
      verdict: "watch" as const,
      finding: "not known",
      sentence: "The records of the run cannot be read.",
      evidence: [],
    }));
    seen.set(path, { size, at: performance.now(), diagnosis });
    under.delete(path);
  };
  return (path: string): RunStatus["diagnosis"] => {
    const size = statSync(runFolder(path).metrics, { throwIfNoEntry: false })?.size ?? 0;
    const known = seen.get(path);
    const old = known === undefined || performance.now() - known.at > DOCTOR;
    if (size > 0 && known?.size !== size && old && under.size === 0) void examine(path, size);
    return known?.diagnosis;
  };
}

/** How runs stand, read anew where something was added. */
function statusReader() {
  const known = new Map<string, Kept>();
  const doctor = doctors();
  return (run: RunPlace): RunStatus[] => {
    try {
      const { size, mtimeMs } = statSync(runFolder(run.path).metrics);
      const mark = `${size} ${mtimeMs}`;
      const before = known.get(run.id);
      const settled = before?.mark === mark && before.status.state !== "training";
      const fresh = settled && Date.now() - mtimeMs > 10_000;
      const status = fresh ? before.status : runStatus(run);
      known.set(run.id, { mark, status });
      return [{ ...status, diagnosis: doctor(run.path) }];
    } catch {
      return []; // no run any more, or not yet
    }
  };
}

/** What the studio sees, looked at again and again while somebody listens. */
export type Watch = {
  /** What was seen last. */
  readonly places: () => Places;
  /** Looks now. */
  look(): Promise<Overview>;
  run(id: string): RunStatus | undefined;
  /** Tells of every change; returns what ends it. */
  listen(tell: (overview: Overview) => void): () => void;
  close(): void;
};

/** Watches folders. */
export async function watchFolders(folders: readonly string[], jobs: Jobs): Promise<Watch> {
  const find = placesFinder(folders);
  let places = await find();
  const statusOf = statusReader();
  const listeners = new Set<(overview: Overview) => void>();
  const look = async (): Promise<Overview> => {
    places = await find();
    const runs = [...places.runs.values()].flatMap(statusOf);
    const latest = <T extends { changed: number }>(all: readonly T[]) =>
      all.toSorted((a, b) => b.changed - a.changed);
    return {
      folders: places.roots,
      runs: latest(runs),
      tables: latest([...places.tables.values()]),
      images: [...places.images.values()],
      jobs: jobs.list(),
    };
  };
  let said = "";
  let timer: NodeJS.Timeout | undefined;
  const round = async () => {
    const started = performance.now();
    const overview = await look().catch(() => undefined);
    const text = JSON.stringify(overview);
    if (overview !== undefined && text !== said) for (const tell of listeners) tell(overview);
    said = text;
    const took = performance.now() - started;
    if (listeners.size > 0) timer = setTimeout(() => void round(), Math.max(LEAST, SHARE * took));
    else timer = undefined;
  };
  return {
    places: () => places,
    look,
    run: (id) => {
      const place = places.runs.get(id);
      return place && statusOf(place).at(0);
    },
    listen(tell) {
      listeners.add(tell);
      if (timer === undefined) timer = setTimeout(() => void round(), LEAST);
      return () => void listeners.delete(tell);
    },
    close() {
      listeners.clear();
      clearTimeout(timer);
    },
  };
}
