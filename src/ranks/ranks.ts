/**
 * The processes that work on one thing together, numbered from 0, and what they do together. Every rank makes the
 * same calls in the same order; a call ends when all have come to it.
 */
export type Ranks = {
  readonly rank: number;
  readonly size: number;
  /** Ranks on this machine; how many share its cores. */
  readonly local: number;
  /** What joins them, as it calls itself. */
  readonly joinedBy: string;
  /**
   * Adds the values of every rank to a sum that is the same on all, one rank after the other: the bits are those of
   * one process that adds in this order. The values are read only.
   */
  allReduceSum(sum: Float32Array, values: Float32Array): Promise<void>;
  /** The bytes of every rank, in the order of ranks. They may differ in number. */
  allGather(bytes: Uint8Array): Promise<Uint8Array[]>;
  /** The bytes of rank 0, which alone gives some. Other ranks wait for them without keeping a core busy. */
  broadcast(bytes?: Uint8Array): Promise<Uint8Array>;
  /** Ends the processes of all ranks at once, whatever they do. */
  abort(code: number): void;
  /** The last call: all ranks come to it, then each ends by itself. */
  close(): Promise<void>;
};

/** One process by itself. */
export const alone: Ranks = {
  rank: 0,
  size: 1,
  local: 1,
  joinedBy: "none",
  allReduceSum: async (sum, values) => {
    for (let i = 0; i < sum.length; i++) sum[i] += values[i];
  },
  allGather: async (bytes) => [bytes],
  broadcast: async (bytes) => bytes!,
  abort: (code) => process.exit(code),
  close: async () => undefined,
};

const [encoder, decoder] = [new TextEncoder(), new TextDecoder()];

/** A value of rank 0 as JSON carries it. */
export async function broadcastValue<T>(ranks: Ranks, value?: T): Promise<T> {
  const given = ranks.rank === 0 ? encoder.encode(JSON.stringify(value)) : undefined;
  return JSON.parse(decoder.decode(await ranks.broadcast(given))) as T;
}

/** A value of every rank as JSON carries it, in the order of ranks. */
export async function gatherValues<T>(ranks: Ranks, value: T): Promise<T[]> {
  const all = await ranks.allGather(encoder.encode(JSON.stringify(value)));
  return all.map((bytes) => JSON.parse(decoder.decode(bytes)) as T);
}
