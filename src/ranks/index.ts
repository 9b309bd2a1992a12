export { type Environment, type Launched, launchedBy } from "./launched.ts";
export { disagreement, openRanks, speaks } from "./openRanks.ts";
export { type Leader, leading, obeying } from "./orders.ts";
export { alone, broadcastValue, gatherValues, type Ranks } from "./ranks.ts";
