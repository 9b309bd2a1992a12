import { alone, type Ranks } from "./ranks.ts";

type Round = {
  given: unknown[];
  count: number;
  end: (all: unknown[]) => void;
  done: Promise<unknown[]>;
};

function newRound(size: number): Round {
  let end: Round["end"] = () => undefined;
  const done = new Promise<unknown[]>((resolve) => (end = resolve));
  return { given: new Array<unknown>(size), count: 0, end, done };
}

/** Ranks that are all in this process. What one gives is copied, as it would be on its way. */
export function ranksHere(size: number): Ranks[] {
  const rounds: Round[] = [];
  return Array.from({ length: size }, (_, rank): Ranks => {
    let next = 0;
    const meet = async <T>(value: T): Promise<T[]> => {
      const round = (rounds[next++] ??= newRound(size));
      round.given[rank] = value;
      if (++round.count === size) round.end(round.given);
      return (await round.done) as T[];
    };
    return {
      ...alone,
      rank,
      size,
      local: 1,
      joinedBy: "one process",
      async allReduceSum(sum, values) {
        for (const each of await meet(values.slice())) await alone.allReduceSum(sum, each);
      },
      allGather: (bytes) => meet(bytes.slice()),
      broadcast: async (bytes) => (await meet(bytes?.slice()))[0]!,
    };
  });
}
