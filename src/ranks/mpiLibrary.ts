import type * as Koffi from "koffi";

import { DeviceError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";
import type { Launched } from "./launched.ts";

/** A communicator or a type: an address in Open MPI, a number in MPICH and its kin. */
type Handle = unknown;

/** A function of the library; `async` runs it on another thread, so that this one goes on. */
type Foreign = {
  (...args: unknown[]): number;
  async(...args: unknown[]): void;
};

/** An MPI library as far as it is called. Counts are of bytes. */
export type MpiLibrary = {
  readonly version: string; // its first line
  readonly world: Handle;
  readonly byte: Handle;
  readonly init: Foreign; // (argc, argv, level, provided)
  readonly rank: Foreign; // (world, out)
  readonly size: Foreign;
  readonly alltoall: Foreign; // (send, count, type, receive, count, type, world)
  readonly allgather: Foreign;
  readonly bcast: Foreign; // (buffer, count, type, root, world)
  readonly ibcast: Foreign; // (buffer, count, type, root, world, request)
  readonly test: Foreign; // (request, flag, status)
  readonly abort: Foreign; // (world, code)
  readonly finalize: Foreign;
};

const files: Record<string, readonly string[]> = {
  openmpi: ["libmpi.so.40", "libmpi.so.80", "libmpi.so", "libmpi.dylib"],
  mpich: ["libmpich.so.12", "libmpi.so.12", "libmpich.so", "libmpi.so", "libmpi.dylib"],
};

/** Names of the library to look for, those of the launcher's kind first; `CONTRAPOSE_MPI` names another. */
function candidates(launcher: Launched["launcher"]): readonly string[] {
  const own = process.env.CONTRAPOSE_MPI;
  if (own !== undefined && own !== "") return [own];
  return launcher === "mpich" ? files.mpich : [...files.openmpi, ...files.mpich];
}

async function loadKoffi(): Promise<typeof Koffi> {
  try {
    return await import("koffi");
  } catch (cause) {
    throw new DeviceError(
      "several ranks need the package koffi, which calls the MPI library and is not installed here",
      "npm install koffi",
      { cause },
    );
  }
}

/** Loads an MPI library with its symbols visible to the plugins that it loads itself. */
export async function loadMpi(launcher: Launched["launcher"]): Promise<MpiLibrary> {
  const koffi = await loadKoffi();
  const tried = candidates(launcher);
  for (const path of tried) {
    let library: Koffi.LibraryHandle;
    try {
      library = koffi.load(path, { global: true });
    } catch {
      continue;
    }
    return bound(library);
  }
  const [packages, kind] =
    launcher === "mpich" ? ["mpich", "MPICH"] : ["openmpi-bin libopenmpi3", "Open MPI"];
  throw new DeviceError(
    `several ranks need an MPI library, and none was found (looked for ${tried.map((name) => quoted(name)).join(", ")})`,
    `the launcher is of ${kind}: as in apt-get install ${packages}; CONTRAPOSE_MPI=/path/to/libmpi.so names another`,
  );
}

/** Functions and handles of a library, by the version that it tells. */
function bound(library: Koffi.LibraryHandle): MpiLibrary {
  const plain = (name: string, types: string) =>
    library.func(`int MPI_${name}(${types})`) as Foreign;
  const [text, length] = [new Uint8Array(8192), new Int32Array(1)];
  plain("Get_library_version", "void*, void*")(text, length);
  const version = new TextDecoder().decode(text.subarray(0, length[0])).split("\n")[0];
  const addresses = version.includes("Open MPI");
  const handle = addresses ? "void*" : "int";
  const of = (name: string, types: string) => plain(name, types.replaceAll("handle", handle));
  const symbol = (name: string): Handle => library.symbol(name, "uint8_t");
  return {
    version: version
      .replace(/\s*Version:\s*/, " ")
      .replace(/,.*/, "")
      .trim(),
    // the numbers are those of mpi.h of MPICH, which its kin share by their common ABI
    world: addresses ? symbol("ompi_mpi_comm_world") : 0x44000000,
    byte: addresses ? symbol("ompi_mpi_byte") : 0x4c00010d,
    init: of("Init_thread", "void*, void*, int, void*"),
    rank: of("Comm_rank", "handle, void*"),
    size: of("Comm_size", "handle, void*"),
    alltoall: of("Alltoall", "void*, int, handle, void*, int, handle, handle"),
    allgather: of("Allgather", "void*, int, handle, void*, int, handle, handle"),
    bcast: of("Bcast", "void*, int, handle, int, handle"),
    ibcast: of("Ibcast", "void*, int, handle, int, handle, void*"),
    test: of("Test", "void*, void*, void*"),
    abort: of("Abort", "handle, int"),
    finalize: of("Finalize", ""),
  };
}
