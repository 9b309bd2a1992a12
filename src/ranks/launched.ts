/** What a launcher says of a process that it started. */
export type Launched = {
  readonly launcher: "openmpi" | "mpich" | "slurm";
  readonly rank: number;
  readonly size: number;
  readonly local: number; // ranks on this machine
  readonly localRank: number; // number among them
  /** Whether the launcher offers ranks a way to find each other. */
  readonly joined: boolean;
};

/** Variables of a process. */
export type Environment = Readonly<Record<string, string | undefined>>;

const names = {
  openmpi: [
    "OMPI_COMM_WORLD_RANK",
    "OMPI_COMM_WORLD_SIZE",
    "OMPI_COMM_WORLD_LOCAL_SIZE",
    "OMPI_COMM_WORLD_LOCAL_RANK",
  ],
  slurm: ["SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "", "SLURM_LOCALID"],
  mpich: ["PMI_RANK", "PMI_SIZE", "MPI_LOCALNRANKS", "MPI_LOCALRANKID"],
} as const;

/**
 * Whether this process is one of several that a launcher started, by the environment: Open MPI's `mpirun`, Slurm's
 * `srun` (with PMIx or PMI-2), MPICH's `mpirun` and its kin. Undefined for a process by itself.
 */
export function launchedBy(environment: Environment): Launched | undefined {
  const number = (name: string) => {
    const text = environment[name] ?? "";
    return /^\d+$/.test(text) ? Number(text) : undefined;
  };
  for (const launcher of ["openmpi", "slurm", "mpich"] as const) {
    const [rank, size, local, localRank] = names[launcher].map(number);
    if (rank === undefined || size === undefined || size < 2) continue;
    const perNode = Number(/^\d+/.exec(environment.SLURM_STEP_TASKS_PER_NODE ?? "")?.[0] ?? size);
    const joined =
      launcher !== "slurm" ||
      environment.PMIX_RANK !== undefined ||
      environment.PMI_RANK !== undefined;
    return {
      launcher,
      rank,
      size,
      local: local ?? Math.min(size, perNode),
      localRank: localRank ?? rank,
      joined,
    };
  }
  return undefined;
}
