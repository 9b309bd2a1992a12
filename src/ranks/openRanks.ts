import { ConfigError, DeviceError } from "../core/errors.ts";
import { VERSION } from "../core/version.ts";
import { type Environment, launchedBy } from "./launched.ts";
import { openMpi } from "./mpiRanks.ts";
import { alone, gatherValues, type Ranks } from "./ranks.ts";

/** `ranks 0, 1 have 0.1.0, rank 2 has 0.2.0` of what each rank has; undefined where all have the same. */
export function disagreement(values: readonly string[]): string | undefined {
  const kinds = [...new Set(values)];
  if (kinds.length < 2) return undefined;
  const of = (kind: string) => {
    const numbers = values.flatMap((value, rank) => (value === kind ? [rank] : []));
    const few = numbers.length > 8 ? `${numbers.slice(0, 8).join(", ")}, …` : numbers.join(", ");
    return `${numbers.length === 1 ? "rank" : "ranks"} ${few} ${numbers.length === 1 ? "has" : "have"} ${kind}`;
  };
  return kinds.map(of).join(", ");
}

/**
 * The ranks that this process is one of; `alone` where no launcher started several, and nothing of MPI is loaded then.
 * What is thrown is thrown on all ranks that can tell.
 *
 * @param single the command that is run, where it is made for one process only
 */
export async function openRanks(environment: Environment, single?: string): Promise<Ranks> {
  const launched = launchedBy(environment);
  if (launched === undefined) return alone;
  const { size, joined } = launched;
  if (single !== undefined) {
    throw new ConfigError(
      `contrapose ${single} runs in one process, it was started as ${size} ranks`,
      "leave the launcher out: train runs over ranks",
    );
  }
  if (!joined) {
    throw new DeviceError(
      `srun started ${size} tasks without a way to find each other`,
      "srun --mpi=pmix (or pmi2) joins them; srun --mpi=list says which there are",
    );
  }
  const ranks = await openMpi(launched);
  const differing = disagreement(await gatherValues(ranks, VERSION));
  if (differing === undefined) return ranks;
  throw new ConfigError(
    `ranks run different versions of contrapose: ${differing}`,
    "install the same version on all machines",
  );
}

/**
 * Whether this rank is the one to print what kept ranks from working together: rank 0, and of what is missing on a
 * machine the first rank there, as others do not know of it.
 */
export function speaks(environment: Environment, error: unknown): boolean {
  const launched = launchedBy(environment);
  if (launched === undefined) return true;
  return (error instanceof DeviceError ? launched.localRank : launched.rank) === 0;
}
