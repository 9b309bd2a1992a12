import { createSlot } from "./batches.ts";
import type { BatchPlan, Slot } from "./batches.ts";

/**
 * How threads agree on who makes what, in one shared table: the next piece of work to take, how many
 * batches the consumer has given back (`STOPPED` ends all work), and for each slot its finished pieces.
 *
 * Batch k, counted from `firstBatch`, is made in slot k mod slots, in `pieces` pieces. A worker takes the
 * next piece and waits until its slot is free, so work is never further ahead than there are slots, and
 * the consumer's thread need not be awake for workers to go on.
 */
export type Ring = {
  readonly control: Int32Array; // [2 + slots]
  readonly slots: Slot[];
  readonly firstBatch: number;
  readonly batches: number; // in all; may be Infinity
  readonly pieces: number; // a batch is made in so many
};

/** What a worker is started with. */
export type WorkerOrder = { plan: BatchPlan; ring: Ring };

/** What a worker tells the consumer. */
export type WorkerNews =
  | { kind: "ready" } // a batch is complete
  | { kind: "done" } // nothing is left to make
  | { kind: "failed"; name: string; message: string; hint?: string | undefined; stack: string };

export const NEXT_PIECE = 0;
const RETURNED = 1;
export const FINISHED = 2; // + slot
const STOPPED = -1;

/** A ring with all slots free. */
export function createRing(
  plan: BatchPlan,
  { slots, ...rest }: { slots: number; firstBatch: number; batches: number; pieces: number },
): Ring {
  return {
    control: new Int32Array(new SharedArrayBuffer(4 * (FINISHED + slots))),
    slots: Array.from({ length: slots }, () => createSlot(plan, SharedArrayBuffer)),
    ...rest,
  };
}

/** Waits until batch k may be written; false where work has been stopped. Blocks the thread. */
export function waitForSlot(ring: Ring, k: number): boolean {
  for (;;) {
    const returned = Atomics.load(ring.control, RETURNED);
    if (returned === STOPPED) return false;
    if (k < returned + ring.slots.length) return true;
    Atomics.wait(ring.control, RETURNED, returned);
  }
}

/** Whether batch k is complete in its slot. */
export function isReady(ring: Ring, k: number): boolean {
  return Atomics.load(ring.control, FINISHED + (k % ring.slots.length)) === ring.pieces;
}

/** Gives the slot of batch k back to the workers. */
export function giveBack(ring: Ring, k: number): void {
  Atomics.store(ring.control, FINISHED + (k % ring.slots.length), 0);
  Atomics.store(ring.control, RETURNED, k + 1);
  Atomics.notify(ring.control, RETURNED);
}

/** Ends all work: no worker starts another piece. */
export function stop(ring: Ring): void {
  Atomics.store(ring.control, RETURNED, STOPPED);
  Atomics.notify(ring.control, RETURNED);
}
