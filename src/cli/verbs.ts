import type { Verb } from "./verb.ts";
import { list } from "./verbs/list.ts";
import { train } from "./verbs/train.ts";

/** Every verb, in the order of help. */
export const verbs: readonly Verb[] = [train, list];
