import type { Pair } from "./prove.ts";

/** How alike two pictures must be to be copies, the strictest first. */
export const strictnesses = ["exact", "strict", "normal", "loose"] as const;

/**
 * `exact`: the same pixels. `strict`: the same everywhere but for size, compression, brightness, colour, turns,
 * cuts and borders. `normal`: photos may be changed in places besides, as by a mark; forms and drawings, which tell
 * one from another by little else, may not. `loose`: shots of one scene that hardly differ, too.
 */
export type Strictness = (typeof strictnesses)[number];

/** The one that packing, its groups, the counts of copies across sets and `dedupe` go by. */
export const usual: Strictness = "normal";

const SAME_SMALL = 0.88; // agreement of two pictures of which one is small
const CHANGED = 1; // place that noise may seem to have changed

/**
 * Whether two pictures that lie on each other are copies: their details go together, or most are the same and the rest was changed.
 *
 * @param drawn whether both are forms or drawings
 * @param small whether one has few details, so that outlines alone do not tell that both are the same
 */
export function isCopy(
  pair: Pair,
  strictness: Strictness,
  { drawn, small }: { readonly drawn: boolean; readonly small: boolean },
  changed: (pair: Pair) => number,
): boolean {
  const { likeness, agreement } = pair;
  if (strictness === "exact") return false;
  if (strictness === "loose") return likeness >= 0.88 || agreement >= 0.55;
  if (small) return agreement >= SAME_SMALL && changed(pair) <= CHANGED;
  const same = (likeness >= 0.94 && agreement >= 0.45) || agreement >= 0.68;
  return same && ((strictness === "normal" && !drawn) || changed(pair) <= CHANGED);
}
