import { broadcastValue, type Ranks } from "./ranks.ts";

type Message = { readonly order: unknown } | { readonly end: number };

/** Rank 0, which says what all do next. */
export type Leader = {
  readonly ranks: Ranks;
  /** Tells the other ranks, as JSON carries it, and does its own part. Only while nothing else is done together. */
  order<R>(order: unknown, part: () => Promise<R>): Promise<R>;
  /** Lets the other ranks go, with an exit code; ends them at once where they are in the midst of something. */
  dismiss(code: number): Promise<void>;
};

/** Makes rank 0 the leader. With one rank orders reach nobody. */
export function leading(ranks: Ranks): Leader {
  let busy = false;
  let gone = ranks.size === 1;
  const tell = (message: Message) => broadcastValue(ranks, message);
  return {
    ranks,
    async order(order, part) {
      if (ranks.size === 1) return part();
      busy = true; // left so where its part fails: the others are then within theirs
      await tell({ order });
      const result = await part();
      busy = false;
      return result;
    },
    async dismiss(code) {
      if (gone) return;
      gone = true;
      if (busy) ranks.abort(code === 0 ? 1 : code);
      else await tell({ end: code });
    },
  };
}

/** Does on another rank what rank 0 says, until it is let go: the exit code. */
export async function obeying(
  ranks: Ranks,
  part: (order: never) => Promise<void>,
): Promise<number> {
  for (;;) {
    const message = await broadcastValue<Message>(ranks);
    if ("end" in message) return message.end;
    await part(message.order as never);
  }
}
