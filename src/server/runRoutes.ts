import { closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";

import type { Context, Hono } from "hono";
import { type SSEStreamingApi, streamSSE } from "hono/streaming";

import { localHolder } from "../files/index.ts";
import { readRunConfig } from "../train/run/runConfig.ts";
import { runFolder } from "../train/run/runFolder.ts";
import { baselinesOf, condensed, curvesOf } from "./curves.ts";
import { follow } from "./follow.ts";
import type { Jobs } from "./jobs.ts";
import type { Watch } from "./overview.ts";
import type { RunPlace } from "./places.ts";
import type { Baselines, Curves, RunAbout, RunEvent } from "./wire.ts";

const POINTS = 1500; // of a curve that is sent at the start
const LOG = 16 * 1024; // bytes of the log

/** What a request names, or an answer that it is not there. */
export function runOf(c: Context, watch: Watch): RunPlace | Response {
  return watch.places().runs.get(c.req.param("run") ?? "") ?? gone(c, "run");
}

/** The answer where an id is not known. */
export const gone = (c: Context, what: string): Response =>
  c.json({ error: `there is no such ${what} any more` }, 404);

/** Keeps a stream open until the page goes; `open` starts what feeds it and returns what ends that. */
function stream(
  c: Context,
  open: (send: (event: string, data: unknown) => void) => () => void,
): Response {
  return streamSSE(c, async (sse: SSEStreamingApi) => {
    const gone = new Promise<void>((resolve) => sse.onAbort(resolve));
    let last = Promise.resolve();
    const end = open((event, data) => {
      const message = { event, data: JSON.stringify(data) };
      last = last.then(() => sse.writeSSE(message)).catch(() => undefined);
    });
    const alive = setInterval(() => void sse.write(": \n\n").catch(() => undefined), 15_000);
    await gone;
    clearInterval(alive);
    end();
  });
}

/** Tells a page how a run goes on: all of it, condensed, then every step as it comes. */
function followRun(run: RunPlace, watch: Watch, send: (event: RunEvent) => void): () => void {
  let [whole, begun] = [true, false];
  let held: Curves[] = [];
  let baselines: Baselines = {};
  const merged = (): Curves => {
    const all: Record<string, { x: number[]; y: (number | null)[] }> = {};
    for (const part of held) {
      for (const [name, { x, y }] of Object.entries(part)) {
        const curve = (all[name] ??= { x: [], y: [] });
        for (let i = 0; i < x.length; i++) {
          curve.x.push(x[i]);
          curve.y.push(y[i]);
        }
      }
    }
    return Object.fromEntries(
      Object.entries(all).map(([name, curve]) => [name, condensed(curve, POINTS)]),
    );
  };
  const status = () => {
    const now = watch.run(run.id);
    if (now !== undefined) send({ kind: "status", status: now });
  };
  const flush = () => {
    if (begun && !whole && held.length === 0) return;
    send({ kind: whole ? "start" : "more", curves: merged(), baselines });
    [held, whole, begun] = [[], false, true];
  };
  const end = follow(runFolder(run.path).metrics, {
    start: () => {
      [held, whole, baselines] = [[], true, {}];
    },
    more: (records) => {
      held.push(curvesOf(records));
      baselines = { ...baselines, ...baselinesOf(records) };
    },
  });
  flush();
  status();
  const beat = setInterval(() => {
    if (held.length === 0 && !whole) return;
    flush();
    status();
  }, 300);
  const slow = setInterval(status, 1500);
  return () => {
    end();
    clearInterval(beat);
    clearInterval(slow);
  };
}

function endOf(path: string): string {
  if (!existsSync(path)) return "";
  const file = openSync(path, "r");
  try {
    const { size } = fstatSync(file);
    const bytes = Buffer.alloc(Math.min(size, LOG));
    readSync(file, bytes, 0, bytes.length, size - bytes.length);
    return bytes.toString("utf8");
  } finally {
    closeSync(file);
  }
}

function aboutRun({ path }: RunPlace): RunAbout {
  const folder = runFolder(path);
  const { about, ...config } = readRunConfig(folder);
  const { processor, cores, memoryGiB, contrapose } = about;
  return {
    config,
    choices: about.choices,
    classes: about.dataset.classes ?? [],
    machine: `${processor}, ${cores} cores, ${memoryGiB} GiB, contrapose ${contrapose}`,
    log: endOf(folder.log),
  };
}

/** What the page asks of runs. */
export function addRuns(app: Hono, watch: Watch, jobs: Jobs): void {
  app.get("/api/overview", async (c) => c.json(await watch.look()));
  app.get("/api/events", (c) =>
    stream(c, (send) => {
      void watch.look().then((overview) => send("overview", overview));
      return watch.listen((overview) => send("overview", overview));
    }),
  );
  app.get("/api/runs/:run", (c) => {
    const run = runOf(c, watch);
    return run instanceof Response ? run : c.json(aboutRun(run));
  });
  app.get("/api/runs/:run/events", (c) => {
    const run = runOf(c, watch);
    if (run instanceof Response) return run;
    return stream(c, (send) => followRun(run, watch, (event) => send("run", event)));
  });
  app.post("/api/runs/:run/stop", (c) => {
    const run = runOf(c, watch);
    if (run instanceof Response) return run;
    const holder = localHolder(join(run.path, "run"));
    if (holder === undefined) {
      return c.json({ error: "no process of this machine trains this run just now" }, 409);
    }
    process.kill(holder, "SIGINT"); // as Ctrl-C: it saves and ends
    return c.json({ stopping: holder });
  });
  app.post("/api/runs/:run/resume", (c) => {
    const run = runOf(c, watch);
    if (run instanceof Response) return run;
    const order = { verb: "train", words: ["--resume", run.path], outlives: true };
    return c.json(jobs.start({ ...order, title: `Training ${run.name}`, about: run.id }));
  });
  app.post("/api/runs/:run/embed", (c) => {
    const run = runOf(c, watch);
    if (run instanceof Response) return run;
    const words = [run.path, "--out", `${run.path}.parquet`];
    const title = `Embedding the images of ${run.name}`;
    return c.json(jobs.start({ verb: "embed", words, title, about: run.id }));
  });
}
