import { DeviceError } from "../core/errors.ts";
import type { Launched } from "./launched.ts";
import { loadMpi, type MpiLibrary } from "./mpiLibrary.ts";
import type { Ranks } from "./ranks.ts";

/** Threads may call the library, one at a time. */
const SERIALIZED = 2;
const PIECE = 2 ** 30; // bytes of one call at most; its count is a 32-bit number
const AT_ONCE = 200; // looks for a message before it is waited for with pauses
const PAUSE = 2; // milliseconds

const bytesOf = (values: Float32Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

function initialised(mpi: MpiLibrary): { rank: number; size: number } {
  const [provided, rank, size] = [new Int32Array(1), new Int32Array(1), new Int32Array(1)];
  mpi.init(null, null, SERIALIZED, provided);
  if (provided[0] < SERIALIZED) {
    throw new DeviceError(
      `${mpi.version} was built without threads (level ${provided[0]}, expected at least ${SERIALIZED}, MPI_THREAD_SERIALIZED)`,
    );
  }
  mpi.rank(mpi.world, rank);
  mpi.size(mpi.world, size);
  return { rank: rank[0], size: size[0] };
}

type Called = "alltoall" | "allgather" | "bcast" | "finalize";

/** Calls of a library on another thread. */
function calling(mpi: MpiLibrary) {
  const call = (name: Called, ...args: unknown[]) =>
    new Promise<void>((resolve, reject) => {
      mpi[name].async(...args, (error: Error | null, code: number) => {
        if (error === null && code === 0) resolve();
        else reject(error ?? new DeviceError(`MPI: ${name} failed with code ${code}`));
      });
    });
  const { byte, world } = mpi;
  return {
    /** As many bytes of every rank. */
    async gather(send: Uint8Array, receive: Uint8Array) {
      await call("allgather", send, send.length, byte, receive, send.length, byte, world);
    },
    /** Part j of every rank to rank j; a part has `length` bytes. */
    async exchange(send: Uint8Array, receive: Uint8Array, length: number) {
      await call("alltoall", send, length, byte, receive, length, byte, world);
    },
    async broadcast(buffer: Uint8Array) {
      for (let at = 0; at < buffer.length; at += PIECE) {
        const piece = buffer.subarray(at, at + PIECE);
        await call("bcast", piece, piece.length, byte, 0, world);
      }
    },
    finalize: () => call("finalize"),
  };
}

/** Eight bytes of rank 0, waited for with pauses: the number that it gives. */
async function awaited(mpi: MpiLibrary, value = 0): Promise<number> {
  const buffer = new Float64Array([value]);
  const request = new BigUint64Array(1);
  const [flag, status] = [new Int32Array(1), new Uint8Array(64)];
  mpi.ibcast(buffer, 8, mpi.byte, 0, mpi.world, request);
  for (let looks = 0; ; looks++) {
    mpi.test(request, flag, status);
    if (flag[0] !== 0) return buffer[0];
    if (looks < AT_ONCE) await new Promise((resolve) => setImmediate(resolve));
    else await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

type Calls = ReturnType<typeof calling>;

/**
 * Sums over ranks. Rank j gets part j of all, adds them in the order of ranks and gives the sum to all: each rank sends
 * and receives 2 (R − 1) / R of the values, which is the least that is possible, whatever the order of sums.
 */
function summing(calls: Calls, rank: number, size: number): Ranks["allReduceSum"] {
  let packed = new Float32Array(0);
  let received = new Float32Array(0);
  return async (sum, values) => {
    const part = Math.ceil(values.length / size);
    if (packed.length !== part * size) {
      [packed, received] = [new Float32Array(part * size), new Float32Array(part * size)];
    }
    packed.set(values);
    await calls.exchange(bytesOf(packed), bytesOf(received), 4 * part);
    const own = new Float32Array(part);
    own.set(sum.subarray(rank * part, (rank + 1) * part));
    for (let from = 0; from < received.length; from += part) {
      for (let i = 0; i < part; i++) own[i] += received[from + i];
    }
    await calls.gather(bytesOf(own), bytesOf(packed));
    sum.set(packed.subarray(0, sum.length));
  };
}

/** Gathers as many bytes as each rank has. */
const gathering =
  (calls: Calls, size: number): Ranks["allGather"] =>
  async (own) => {
    const lengths = new Float64Array(size);
    const length = new Float64Array([own.length]);
    await calls.gather(new Uint8Array(length.buffer), new Uint8Array(lengths.buffer));
    const longest = Math.max(...lengths);
    const send = own.length === longest ? own : new Uint8Array(longest);
    if (send !== own) send.set(own);
    const all = new Uint8Array(longest * size);
    await calls.gather(send, all);
    return Array.from(lengths, (count, r) => all.slice(r * longest, r * longest + count));
  };

/**
 * Joins the ranks that a launcher started. Collectives run on another thread, so that views are made and signals
 * heard meanwhile; while a rank waits inside one, the library may keep a core busy.
 */
export async function openMpi({ launcher, local, size: started }: Launched): Promise<Ranks> {
  const mpi = await loadMpi(launcher);
  const { rank, size } = initialised(mpi);
  if (size !== started) {
    throw new DeviceError(
      `the launcher started ${started} ranks, but ${mpi.version} sees ${size}: they are of different MPIs`,
      "launch with the mpirun of that library (mpirun.openmpi, mpirun.mpich), or name the launcher's library in CONTRAPOSE_MPI",
    );
  }
  const calls = calling(mpi);
  return {
    rank,
    size,
    local,
    joinedBy: mpi.version,
    allReduceSum: summing(calls, rank, size),
    allGather: gathering(calls, size),
    async broadcast(given) {
      const length = await awaited(mpi, given?.length);
      const buffer = given ?? new Uint8Array(length);
      await calls.broadcast(buffer);
      return buffer;
    },
    abort: (code) => void mpi.abort(mpi.world, code),
    close: () => calls.finalize(),
  };
}
