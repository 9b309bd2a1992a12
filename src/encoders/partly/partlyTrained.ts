import type { ArrayRecord } from "../../core/trees.ts";
import { type HostRecord } from "../../core/arrays.ts";
import type { Network, Variables } from "../network.ts";

/** What of a network is trained. */
export type Trained = {
  /** Shares of the body's learning rate, undefined for the rate of what is new, by the names of the parameters that are trained. */
  readonly shares: ReadonlyMap<string, number | undefined>;
  /** Whether norms that are trained go by the statistics of their batch, and average them. */
  readonly batchStatistics?: boolean | undefined;
};

const pick = <T>(from: Readonly<Record<string, T>>, wanted: (name: string) => boolean) =>
  Object.fromEntries(Object.entries(from).filter(([name]) => wanted(name)));

/**
 * A network of which a part is trained: all other parameters are statistics that stay as they are, so no gradient is
 * made for them, no optimiser knows them, and copies of the network share them. Norms keep their means and variances
 * unless `batchStatistics` says otherwise.
 */
export function partlyTrained(network: Network, { shares, batchStatistics }: Trained): Network {
  const isTrained = (name: string) => shares.has(name);
  const isFrozen = (name: string) => name in network.parameters && !isTrained(name);
  const moves = (norm: string) => batchStatistics === true && isTrained(`${norm}.weight`);
  const parameters = Object.fromEntries(
    [...shares].map(([name, share]) => [name, { ...network.parameters[name], share }]),
  );
  const statistics = { ...network.statistics, ...pick(network.parameters, isFrozen) };
  const fixed = Object.keys(statistics).filter(
    (name) => !moves(name.replace(/\.running_\w+$/, "")),
  );
  /** Variables as the whole network takes them, and those of its parameters that are frozen. */
  const whole = (given: Variables): { variables: Variables; frozen: ArrayRecord } => {
    const frozen = pick(given.statistics, isFrozen);
    const own = { ...given.parameters, ...frozen };
    return {
      variables: { parameters: own, statistics: pick(given.statistics, (name) => !isFrozen(name)) },
      frozen: Object.fromEntries(Object.entries(frozen).map(([name, array]) => [name, array.ref])),
    };
  };
  const { maps } = network;
  return {
    ...network,
    parameters,
    statistics,
    fixed,
    init(seed) {
      const { parameters: all, statistics: running } = network.init(seed);
      const frozen: HostRecord = pick(all, isFrozen);
      return { parameters: pick(all, isTrained), statistics: { ...running, ...frozen } };
    },
    apply(given, x, { training }) {
      const { variables, frozen } = whole(given);
      const mode = training === false ? false : moves;
      const { features, statistics: after } = network.apply(variables, x, { training: mode });
      return { features, statistics: { ...after, ...frozen } };
    },
    ...(maps === undefined
      ? {}
      : {
          maps(given, x) {
            const { variables, frozen } = whole(given);
            Object.values(frozen).forEach((array) => array.dispose());
            return maps(variables, x);
          },
        }),
  };
}
