// A worker thread that makes batches until they are all made or work is stopped.
import { parentPort, workerData } from "node:worker_threads";

import { ContraposeError } from "../../core/errors.ts";
import { createFiller } from "./batches.ts";
import { FINISHED, NEXT_PIECE, waitForSlot } from "./ring.ts";
import type { WorkerNews, WorkerOrder } from "./ring.ts";

const tell = (news: WorkerNews) => parentPort?.postMessage(news);

function work({ plan, ring }: WorkerOrder): void {
  const { fill, close } = createFiller(plan);
  const { batchSize } = plan;
  for (;;) {
    const piece = Atomics.add(ring.control, NEXT_PIECE, 1);
    const k = Math.floor(piece / ring.pieces);
    if (k >= ring.batches || !waitForSlot(ring, k)) break;
    const part = piece % ring.pieces;
    const slot = k % ring.slots.length;
    const from = Math.floor((part * batchSize) / ring.pieces);
    const to = Math.floor(((part + 1) * batchSize) / ring.pieces);
    fill(ring.firstBatch + k, { from, to }, ring.slots[slot]);
    if (Atomics.add(ring.control, FINISHED + slot, 1) + 1 === ring.pieces) tell({ kind: "ready" });
  }
  close();
  tell({ kind: "done" });
}

try {
  work(workerData as WorkerOrder);
} catch (thrown) {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  tell({
    kind: "failed",
    name: error.name,
    message: error.message,
    hint: error instanceof ContraposeError ? error.hint : undefined,
    stack: error.stack ?? "",
  });
}
