import { hostname } from "node:os";

import { gatherValues, type Ranks } from "../ranks/index.ts";
import type { Printer } from "./printer.ts";

/** Says which process each rank is: launchers tell of a process that is gone, not all of them by its rank. */
export async function introduce(ranks: Ranks, printer: Printer): Promise<void> {
  if (ranks.size === 1) return;
  const all = await gatherValues(ranks, { pid: process.pid, host: hostname() });
  if (ranks.rank > 0) return;
  printer.note(`ranks      ${ranks.size}, joined by ${ranks.joinedBy}`);
  for (const host of new Set(all.map((one) => one.host))) {
    const own = all.flatMap((one, rank) => (one.host === host ? [`${rank} is ${one.pid}`] : []));
    printer.note(`           processes on ${host}: rank ${own.join(", ")}`);
  }
}
