import { spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { lock } from "../src/files/index.ts";
import { goBackTo, newestCheckpoint } from "../src/train/run/checkpoint.ts";
import { timeFields } from "../src/train/events.ts";
import {
  readPosition,
  resume,
  runConfig,
  runFolder,
  train,
  type TrainListener,
} from "../src/train/index.ts";
import { contrapose, scratch, writeStripes } from "./cli.ts";

const folder = scratch();
const images = folder.at("stripes_batch.bin");
const settings = [
  ...["--epochs", "6", "--batch-size", "16", "--encoder", "convnet", "--width", "4"],
  ...["--set", "encoder.depth=2", "--threads", "1", "--workers", "1", "--quiet"],
  ...["--set", "checkpoint.seconds=0.02", "--set", "evaluation.images=64"],
];
const startArguments = (run: string) => ["train", images, "--out", run, ...settings];

/** Everything that must be equal, whatever happened on the way. */
function resultOf(run: string) {
  const records = readFileSync(join(run, "metrics.jsonl"), "utf8").trimEnd().split("\n");
  const timeless = records.map((line) => {
    const record = JSON.parse(line) as Record<string, unknown>;
    for (const field of timeFields) delete record[field];
    return JSON.stringify(record);
  });
  const weights = ["weights", "state"].map((name) =>
    readFileSync(join(run, "checkpoints", "last", `${name}.safetensors`)).toString("base64"),
  );
  return { timeless, weights };
}

/** Ends a process with a signal after a while, or when a file has so many lines. */
function killAt(signal: NodeJS.Signals, when: { ms?: number; run: string; lines?: number }) {
  return (child: ReturnType<typeof spawn>) => {
    const started = performance.now();
    const metrics = join(when.run, "metrics.jsonl");
    const timer = setInterval(() => {
      const lines = existsSync(metrics) ? readFileSync(metrics, "utf8").split("\n").length - 1 : 0;
      const late = when.ms !== undefined && performance.now() - started > when.ms;
      if (!late && !(when.lines !== undefined && lines >= when.lines)) return;
      clearInterval(timer);
      child.kill(signal);
    }, 1);
    child.on("close", () => clearInterval(timer));
  };
}

beforeAll(async () => {
  writeStripes(images, 104);
  const whole = await contrapose(startArguments(folder.at("whole")));
  expect(whole.err).toBe("");
  expect(whole.code).toBe(0);
});
afterAll(() => folder.remove());

describe("a run that was stopped goes on bit for bit", () => {
  test("after kill -9 at many points, one after the other", async () => {
    const run = folder.at("killed");
    const expected = resultOf(folder.at("whole"));
    let kills = 0;
    let called = await contrapose(startArguments(run), {
      kill: killAt("SIGKILL", { run, lines: 2 }),
    });
    for (const lines of [5, 8, 15, 23, 31]) {
      if (called.code === 0) break;
      kills++;
      const kill = killAt("SIGKILL", { run, lines });
      called = await contrapose(["train", "--resume", run, "--quiet"], { kill });
    }
    if (called.code !== 0) called = await contrapose(["train", "--resume", run, "--quiet"]);
    expect(called.err).toBe("");
    expect(called.code).toBe(0);
    expect(kills).toBeGreaterThan(3);
    expect(resultOf(run)).toEqual(expected);
  }, 60_000);

  test("after Ctrl-C, which saves and exits with 130", async () => {
    const run = folder.at("interrupted");
    const kill = killAt("SIGINT", { run, lines: 9 });
    const stopped = await contrapose(startArguments(run), { kill });
    expect(stopped.code).toBe(130);
    expect(stopped.out).toContain(`contrapose train --resume ${run}`);
    const done = await contrapose(["train", "--resume", run, "--quiet", "--json"]);
    expect(done.code).toBe(0);
    expect(done.json()).toMatchObject({ epochs: 6, steps: 36, finished: true });
    expect(resultOf(run)).toEqual(resultOf(folder.at("whole")));
  });

  test("with another number of workers, and once more when it is done already", async () => {
    const run = folder.at("workers");
    const kill = killAt("SIGTERM", { run, lines: 4 });
    expect((await contrapose(startArguments(run), { kill })).code).toBe(143);
    const done = await contrapose(["train", "--resume", run, "--workers", "0", "--quiet"]);
    expect(done.code).toBe(0);
    expect(resultOf(run)).toEqual(resultOf(folder.at("whole")));
    const again = await contrapose(["train", "--resume", run, "--quiet"]);
    expect(again.code).toBe(0);
    expect(resultOf(run)).toEqual(resultOf(folder.at("whole")));
  });
});

test("a run that another process trains is not touched, and one that was removed is an error", async () => {
  const run = folder.at("whole");
  const before = resultOf(run);
  const held = await lock(join(run, "run"), { what: "it is being trained" });
  const calls = [
    ["train", "--resume", run, "--quiet"],
    [...startArguments(run), "--overwrite"],
  ];
  for (const call of calls) {
    const { code, err } = await contrapose(call);
    expect(code).toBe(2);
    expect(err).toContain(`is being trained by process ${process.pid}`);
  }
  held.release();
  expect(resultOf(run)).toEqual(before);
  const gone = folder.at("gone");
  const remove = (child: ReturnType<typeof spawn>) => {
    const metrics = join(gone, "metrics.jsonl");
    const timer = setInterval(() => {
      if (!existsSync(metrics) || readFileSync(metrics, "utf8").split("\n").length < 5) return;
      clearInterval(timer);
      renameSync(gone, folder.at("removed")); // at once, whatever is being written in it
    }, 1);
    child.on("close", () => clearInterval(timer));
  };
  const long = [...startArguments(gone), "--epochs", "400"]; // that it is not over before it is removed
  const removed = await contrapose(long, { kill: remove });
  expect(removed.code).toBe(2);
  expect(removed.err).toMatch(/was removed or replaced|does not exist/);
});

test("a run goes on where it and its images have moved, and tells nothing twice", async () => {
  const [home, away, other] = ["home", "away", "other_batch.bin"].map((name) => folder.at(name));
  mkdirSync(home);
  writeStripes(join(home, "stripes_batch.bin"), 104);
  writeStripes(other, 104, 2);
  const begin = ["train", "stripes_batch.bin", "--out", "run", ...settings, "--views", "none"];
  const kill = killAt("SIGINT", { run: join(home, "run"), lines: 9 });
  expect((await contrapose(begin, { cwd: home, kill })).code).toBe(130);
  renameSync(home, away);
  const run = join(away, "run");
  const told = () =>
    readFileSync(join(run, "train.log"), "utf8").match(/identity augmentation/g)?.length;
  expect(told()).toBe(1);
  const goOn = (data: string) =>
    contrapose(["train", "--resume", run, "--data", data, "--quiet", "--json"]);
  const refused = await goOn(other);
  expect(refused.code).toBe(2);
  expect(refused.err).toContain("are not those that the run began with");
  const data = join(away, "stripes_batch.bin");
  const done = await goOn(data);
  expect([done.err, done.code]).toEqual(["", 0]);
  expect(done.json()).toMatchObject({ steps: 36, finished: true });
  expect(runConfig(run)).toMatchObject({ data, out: run });
  expect(told()).toBe(1);
});

describe("a checkpoint that does not fit gives one sentence and loses nothing", () => {
  const copy = (name: string) => {
    const run = folder.at(name);
    cpSync(folder.at("whole"), run, { recursive: true });
    return run;
  };

  test("a truncated state", async () => {
    const run = copy("truncated");
    const path = join(run, "checkpoints", "last", "state.safetensors");
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.subarray(0, bytes.length - 100));
    const metrics = readFileSync(join(run, "metrics.jsonl"), "utf8");
    const { code, err } = await contrapose(["train", "--resume", run, "--quiet"]);
    expect(code).toBe(2);
    expect(err).toContain("is truncated");
    expect(err.trim().split("\n")).toHaveLength(2); // the sentence and a hint
    expect(readFileSync(join(run, "metrics.jsonl"), "utf8")).toBe(metrics);
  });

  test("a damaged state", async () => {
    const run = copy("damaged");
    const path = join(run, "checkpoints", "last", "weights.safetensors");
    const bytes = readFileSync(path);
    bytes[bytes.length - 10] ^= 1;
    writeFileSync(path, bytes);
    const { code, err } = await contrapose(["train", "--resume", run, "--quiet"]);
    expect(code).toBe(2);
    expect(err).toContain("is damaged");
    const other = await contrapose([
      "train",
      "--resume",
      run,
      "--checkpoint",
      "epoch-0002",
      "--quiet",
    ]);
    expect(other.code).toBe(0);
    expect(resultOf(run)).toEqual(resultOf(folder.at("whole")));
  });

  test("another one is gone back to for good, whenever training is stopped after that", async () => {
    const run = copy("back");
    const { checkpoints, failure } = runFolder(run);
    truncateSync(join(checkpoints, "last", "state.safetensors"), 100);
    writeFileSync(failure, "{}");
    const stop = new AbortController();
    const listener: TrainListener = ({ kind }) => kind === "start" && stop.abort();
    const options = { from: "epoch-0002", given: { workers: 0 }, signal: stop.signal, listener };
    expect(await resume(run, options)).toMatchObject({ steps: 12, finished: false });
    expect(readdirSync(checkpoints).filter((name) => /^epoch/.test(name))).not.toContain(
      "epoch-0004",
    );
    expect(existsSync(failure)).toBe(false);
    const { code, err } = await contrapose(["train", "--resume", run, "--quiet"]);
    expect([err, code]).toEqual(["", 0]);
    expect(resultOf(run)).toEqual(resultOf(folder.at("whole")));
  });

  test("going back is done before anything of the run is cut off", async () => {
    const { checkpoints } = runFolder(copy("order"));
    await goBackTo(checkpoints, "epoch-0002");
    expect(await newestCheckpoint(checkpoints)).toBe("last");
    expect(readPosition(join(checkpoints, "last")).step).toBe(12);
  });

  test("a checkpoint of another config", async () => {
    const run = copy("foreign");
    const path = join(run, "config.json");
    const config = JSON.parse(readFileSync(path, "utf8")) as { seed: number; learningRate: number };
    writeFileSync(path, JSON.stringify({ ...config, seed: 5 }));
    const { code, err } = await contrapose(["train", "--resume", run, "--quiet"]);
    expect(code).toBe(2);
    expect(err).toContain("another config: seed is 5, was 0");
  });

  test("settings that change while resuming", async () => {
    const run = folder.at("whole");
    const { code, err } = await contrapose(["train", "--resume", run, "--seed", "9", "--quiet"]);
    expect(code).toBe(2);
    expect(err).toContain("seed is 9, was 0");
    const shorter = await contrapose(["train", "--resume", run, "--epochs", "5", "--quiet"]);
    expect(shorter.err).toContain("epochs is 5, but 6 epochs of the run are done");
  });

  test("a position that is missing", async () => {
    const run = copy("positionless");
    rmSync(join(run, "checkpoints", "last", "position.json"));
    const { code, err } = await contrapose(["train", "--resume", run, "--quiet"]);
    expect(code).toBe(2);
    expect(err).toContain("is incomplete");
  });
});

test("a finished run is made longer, and is the same bit for bit where that is killed", async () => {
  const runs = ["longer", "longerKilled"].map((name) => {
    cpSync(folder.at("whole"), folder.at(name), { recursive: true });
    return folder.at(name);
  });
  const longer = (run: string) => ["train", "--resume", run, "--epochs", "9", "--threads", "1"];
  const whole = await contrapose(longer(runs[0]));
  expect(whole.code).toBe(0);
  expect(whole.err).toContain("9 epochs from step 36 on, 6 before: the learning rate follows");
  const [run] = runs.slice(1);
  await contrapose(longer(run), { kill: killAt("SIGKILL", { run, lines: 50 }) });
  expect(runConfig(run)).toMatchObject({
    epochs: 9,
    earlierPlans: [{ untilStep: 36, epochs: 6, threads: 1 }],
  });
  const done = await contrapose(["train", "--resume", run, "--quiet", "--json"]);
  expect(done.json()).toMatchObject({ epochs: 9, steps: 54, finished: true });
  expect(resultOf(run)).toEqual(resultOf(runs[0]));
  expect(resultOf(run).weights).not.toEqual(resultOf(folder.at("whole")).weights);
});

test("a run slower than its plan gets fewer epochs, the same bit for bit where that is killed", async () => {
  const [run, whole] = [folder.at("slower"), folder.at("slowerWhole")];
  const told: string[] = [];
  const minutes = 0.04;
  let wait = 40; // milliseconds
  /** Each step takes thrice as long as was planned; an error at an event is as sudden as a kill. */
  const slow =
    (ends: (event: Parameters<TrainListener>[0]) => boolean): TrainListener =>
    (event) => {
      if (event.kind === "choices") {
        const steps = 6 * Number(event.choices.find(({ path }) => path === "epochs")?.value);
        wait = Math.max(wait, (2 * 60_000 * minutes) / steps);
      }
      if (event.kind === "step") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, wait);
      if (event.kind === "plan") told.push(event.text);
      if (ends(event)) throw new Error("killed");
    };
  const settings = {
    data: images,
    out: run,
    minutes,
    warmupEpochs: 1,
    batchSize: 16,
    threads: 1,
    encoder: { name: "convnet" as const, width: 4, depth: 2 },
    workers: 1,
    evaluation: { images: 64 },
    checkpoint: { seconds: 0.2 },
  };
  const started = train(settings, { listener: slow(({ kind }) => kind === "plan") });
  await expect(started).rejects.toThrow("killed");
  const { epochs, earlierPlans = [] } = runConfig(run);
  const [{ untilStep, epochs: before }] = earlierPlans;
  expect(epochs).toBeLessThan(before);
  expect(told[0]).toMatch(/^plan +slower than measured: .* left of 2 s; the plan is now \d+ epoch/);
  const after = slow((event) => event.kind === "step" && event.record.step === untilStep + 1);
  await expect(resume(run, { listener: after })).rejects.toThrow("killed");
  expect(runConfig(run).earlierPlans?.[0]).toEqual(earlierPlans[0]);
  const done = await resume(run, { listener: slow(() => false) });
  expect(done).toMatchObject({ finished: true, config: { minutes } });
  expect(done.epochs).toBe(done.config.epochs);
  mkdirSync(whole); // a run by the same plans from its start
  const plans = JSON.parse(readFileSync(join(run, "config.json"), "utf8")) as object;
  const untimed = { ...plans, out: whole, minutes: undefined };
  writeFileSync(join(whole, "config.json"), JSON.stringify(untimed));
  expect(await resume(whole)).toMatchObject({ finished: true, epochs: done.epochs });
  expect(resultOf(whole)).toEqual(resultOf(run));
});

test("training stops at the first number that is not finite, and the step can be repeated", async () => {
  const run = folder.at("diverged");
  const called = await contrapose([...startArguments(run), "--learning-rate", "1e4"]);
  expect(called.code).toBe(1);
  expect(called.err).toMatch(/training stopped at step \d+ of epoch \d: .*(loss|gradientNorm)/);
  expect(called.err).toContain("contrapose train --replay");
  const failure = JSON.parse(readFileSync(join(run, "failure.json"), "utf8")) as {
    images: unknown[];
    checkpoint: string;
  };
  expect(failure.images).toHaveLength(16);
  const again = await contrapose(["train", "--replay", "failure.json", "--json"], { cwd: run });
  expect(again.code).toBe(0);
  expect(again.json()).toMatchObject({ repeated: true, viewsFinite: true });
});
