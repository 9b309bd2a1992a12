import { Worker } from "node:worker_threads";

import { ConfigError, ContraposeError, DataError, ShapeError } from "../../core/errors.ts";
import { copySlot, createFiller } from "./batches.ts";
import type { BatchPlan, Slot } from "./batches.ts";
import { giveBack, isReady, stop } from "./ring.ts";
import type { Ring, WorkerNews, WorkerOrder } from "./ring.ts";

function failureOf(news: WorkerNews & { kind: "failed" }): Error {
  const cause = new Error(news.message);
  cause.name = news.name;
  cause.stack = news.stack;
  const kinds: Record<string, typeof ContraposeError> = { ConfigError, DataError, ShapeError };
  const Kind = kinds[news.name];
  if (Kind !== undefined) return new Kind(news.message, news.hint, { cause });
  return new ContraposeError(`views: a worker failed: ${news.message}`, news.hint, { cause });
}

/** Where finished batches come from: worker threads, or this thread. Batches are counted from 0. */
export type Maker = {
  /** Waits until batch k is complete; undefined where it already is. */
  made(k: number): Promise<void> | undefined;
  /** Copies batch k, which is complete, and forgets it. */
  take(k: number, into: Slot): void;
  close(): Promise<void>;
};

/** Makes a batch in this thread when it is asked for. */
export function makeHere(plan: BatchPlan, firstBatch: number): Maker {
  const { fill, close } = createFiller(plan);
  return {
    made: () => undefined,
    take: (k, into) => fill(firstBatch + k, { from: 0, to: plan.batchSize }, into),
    close: async () => close(),
  };
}

type Waiting = { k: number; resolve: () => void; reject: (error: Error) => void };

// Without this process's own flags: some of them, as --input-type, forbid a worker file.
const startWorker = (script: URL, order: WorkerOrder) =>
  new Worker(script, { workerData: order, execArgv: [] });

/** The workers, what went wrong in one of them, and the one batch that is waited for. */
function startWorkers(order: WorkerOrder, count: number, script: URL) {
  const { ring } = order;
  let failure: Error | undefined;
  let closing = false;
  let waiting: Waiting | undefined;
  const workers = Array.from({ length: count }, () => startWorker(script, order));
  const settle = () => {
    if (waiting === undefined) return;
    if (failure !== undefined) waiting.reject(failure);
    else if (isReady(ring, waiting.k)) waiting.resolve();
    else return;
    waiting = undefined;
    workers.forEach((worker) => worker.unref()); // an idle loader keeps no process alive
  };
  const fail = (error: Error) => {
    if (!closing) failure ??= error;
    stop(ring);
    settle();
  };
  const gone = workers.map((worker) => {
    let done = false;
    worker.unref();
    worker.on("message", (news: WorkerNews) => {
      if (news.kind === "failed") fail(failureOf(news));
      if (news.kind === "done") done = true;
      settle();
    });
    worker.on("error", (cause: Error) => {
      fail(new ContraposeError(`views: a worker failed: ${cause.message}`, undefined, { cause }));
    });
    return new Promise<void>((resolve) => {
      worker.on("exit", (code) => {
        if (!done) fail(new ContraposeError(`views: a worker ended early, with exit code ${code}`));
        resolve();
      });
    });
  });
  const wait = (k: number) => {
    workers.forEach((worker) => worker.ref());
    return new Promise<void>((resolve, reject) => {
      waiting = { k, resolve, reject };
      settle();
    });
  };
  const close = async () => {
    failure ??= new ContraposeError("views: the loader was closed, no batch can be asked for");
    closing = true;
    stop(ring);
    settle();
    await Promise.all(workers.map((worker) => worker.terminate()));
    await Promise.all(gone);
  };
  return { failure: () => failure, wait, close };
}

/** Makes batches in `count` worker threads, ahead of the consumer. */
export function makeInWorkers(plan: BatchPlan, ring: Ring, count: number, script: URL): Maker {
  const workers = startWorkers({ plan, ring }, count, script);
  return {
    made: (k) => {
      const failure = workers.failure();
      if (failure !== undefined) return Promise.reject(failure);
      return isReady(ring, k) ? undefined : workers.wait(k);
    },
    take: (k, into) => {
      copySlot(ring.slots[k % ring.slots.length], into);
      if (workers.failure() === undefined) giveBack(ring, k);
    },
    close: workers.close,
  };
}
