import { existsSync, rmSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { type CompareFolder, type PlannedArm, speedOf } from "../../../compare/index.ts";
import { ConfigError, ContraposeError } from "../../../core/errors.ts";
import { readJsonLines, writeFileAtomic } from "../../../files/index.ts";
import { metricsLine, omit } from "../../../train/index.ts";
import type { Call } from "../../verb.ts";
import { inParallel, released, runChild } from "./child.ts";

type Speed = NonNullable<ReturnType<typeof speedOf>>;
type Pilot = { arm: PlannedArm; place: number };

/** Where pilots run: beside the runs, so that none of them packs anything or computes features that are kept. */
export type PilotPlaces = { readonly folder: CompareFolder };

const ENOUGH = { steps: 24, seconds: 6, most: 30 };
const FEW = { steps: 3, seconds: 0, most: 0 };
const ROUNDS = 2; // the faster one counts: other work on the machine only slows down
const POLL_MS = 200;
const MEMORY_SHARE = 0.5; // of the machine's, for all runs together

/** Trains an arm until its speed is known, in a folder that is removed again. Undefined once interrupted. */
async function pilot(
  { arm, place }: Pilot,
  { folder }: PilotPlaces,
  enough: typeof ENOUGH,
  signal: AbortSignal,
): Promise<Speed | undefined> {
  const out = join(folder.runs, `.speed-${place}-${arm.file}`);
  const config = `${out}.json`;
  const tree = {
    ...omit(arm.tree, "test"),
    out,
    epochs: 1000,
    warmupEpochs: 0,
    seed: 0,
    evaluation: { every: 0 },
    checkpoint: { seconds: 1e6, keepEvery: 0 },
  };
  await released(out);
  await writeFileAtomic(config, JSON.stringify(tree));
  const stop = new AbortController();
  const ended = runChild(
    ["train", "--config", config, "--overwrite"],
    AbortSignal.any([stop.signal, signal]),
  );
  let over = false;
  void ended.finally(() => (over = true));
  let speed: Speed | undefined;
  while (!over && speed === undefined) {
    await pause(POLL_MS);
    const metrics = join(out, "metrics.jsonl");
    if (existsSync(metrics)) {
      const records = await readJsonLines(metrics, metricsLine);
      speed = speedOf(records as never[], enough);
    }
  }
  stop.abort();
  const { error } = await ended;
  rmSync(out, { recursive: true, force: true });
  rmSync(config, { force: true });
  if (speed !== undefined || signal.aborted) return speed;
  throw new ContraposeError(`compare: the speed of ${arm.name} could not be measured: ${error}`);
}

/** How many runs at once a machine takes, and with how many threads. */
export type Load = { readonly parallel: number; readonly threads: number; readonly why: string };

/**
 * As many runs at once as there are cores, while together they need at most half of the memory, one thread
 * each: small nets train faster so than one after the other. Measured with the base. Undefined once interrupted.
 */
export async function chooseLoad(
  base: PlannedArm,
  { runs, ...places }: PilotPlaces & { readonly runs: number },
  { printer, signal }: Call,
): Promise<Load | undefined> {
  const cores = availableParallelism();
  const { device, threads } = base.plan.config;
  const given = base.tree.threads === undefined ? undefined : threads;
  const most = Math.min(runs, Math.floor(cores / (given ?? 1)));
  const alone = { parallel: 1, threads: given ?? (device === "cpu" ? cores : threads) };
  if (device !== "cpu") return { ...alone, why: `the device ${device} is one` };
  if (most < 2) return { ...alone, why: `${cores} cores` };
  printer.note("measuring how much memory a run needs");
  const arm = { ...base, tree: { ...base.tree, threads: 1 } };
  const speed = await pilot({ arm, place: 0 }, places, FEW, signal);
  if (speed === undefined) return undefined;
  const room = (MEMORY_SHARE * totalmem()) / 2 ** 20 / speed.memoryMiB;
  const parallel = Math.max(1, Math.min(most, Math.floor(room)));
  return {
    parallel,
    threads: given ?? Math.max(1, Math.floor(cores / parallel)),
    why: `${cores} cores, ${speed.memoryMiB} MiB a run`,
  };
}

/**
 * Seconds of an epoch of each arm by the hash of its plan, measured at the load of the runs: as many at once,
 * views included. Those in `known` are not measured again.
 */
export async function measureSpeeds(
  arms: readonly PlannedArm[],
  {
    known,
    parallel,
    ...places
  }: PilotPlaces & {
    readonly known: Readonly<Record<string, number>>;
    readonly parallel: number; // runs at once
  },
  { printer, signal }: Call,
): Promise<Record<string, number>> {
  const open = arms.filter(({ plan }) => known[plan.hash] === undefined);
  if (open.length === 0) return { ...known };
  printer.note(`measuring the speed of ${open.map(({ name }) => name).join(", ")}`);
  // the last ones with company too
  const count = Math.ceil((ROUNDS * open.length) / parallel) * parallel;
  const pilots = Array.from({ length: count }, (_, place) => ({
    arm: open[place % open.length],
    place,
  }));
  const measured = { ...known };
  await inParallel(pilots, parallel, signal, async (job) => {
    const speed = await pilot(job, places, ENOUGH, signal);
    const { hash, stepsPerEpoch } = job.arm.plan;
    if (speed === undefined) return;
    const seconds = speed.secondsPerStep * stepsPerEpoch;
    measured[hash] = Math.min(measured[hash] ?? Infinity, seconds);
  });
  return measured;
}

/** Whole epochs that fit into a time. Throws `ConfigError` where not even one does. */
export function epochsIn(budget: number, secondsPerEpoch: number, arm: string): number {
  const epochs = Math.floor(budget / secondsPerEpoch);
  if (epochs >= 1) return epochs;
  throw new ConfigError(
    `compare: an epoch of ${arm} takes about ${secondsPerEpoch.toFixed(1)} s, more than the budget of ${budget} s`,
    "give more time, fewer images or a smaller encoder",
  );
}

const UNEVEN = 1.1; // the longest planned time over the shortest

/** A sentence where whole epochs leave arms with times that differ by more than a tenth. */
export function unevenBudget(
  arms: readonly PlannedArm[],
  epochs: readonly number[],
  secondsPerEpoch: Readonly<Record<string, number>>,
): string | undefined {
  const seconds = arms.map(({ plan }, i) => epochs[i] * secondsPerEpoch[plan.hash]);
  const [least, most] = [Math.min(...seconds), Math.max(...seconds)];
  if (most <= UNEVEN * least) return undefined;
  const named = (time: number) => `${arms[seconds.indexOf(time)].name} ${Math.round(time)} s`;
  return `whole epochs make planned times differ by more than a tenth: ${named(least)}, ${named(most)}; a longer budget evens them out`;
}
