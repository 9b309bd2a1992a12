import type { Pair, Prover } from "./prove.ts";
import type { ToneMiss } from "./tones.ts";

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

const CHANGED = 1; // place that noise may seem to have changed

type Proofs = Pick<Prover, "changed" | "tones">;

/** What both pictures of a pair are. */
export type PairKind = {
  readonly drawn: boolean; // both are forms or drawings
  readonly small: boolean; // one has few details
  readonly colours: "both" | "one" | "none"; // which of them are in colour
};

const SAME = 0.88; // agreement of small pictures that tells enough where tones cannot be compared
const LIKE = { both: 0.6, one: SAME, none: 0.8 }; // agreement that does where tones are the same, too
const MISSED = { both: 8, none: 2.5 }; // grey levels by which tones that are the same may miss each other

/** How far tones are from each other by what compression and another size change least. */
const missOf = ({ grey, colour }: ToneMiss) => grey(0.9) + 0.6 * colour(0.7);

/**
 * Whether pictures of which one is small are copies. Outlines alone do not tell that both are the same, as those
 * of drawn shapes: nearly all details must be, or many of them and the tones.
 */
function isSmallCopy(pair: Pair, { drawn, colours }: PairKind, proofs: Proofs): boolean {
  const { agreement } = pair;
  if (agreement < LIKE[colours]) return false;
  const changed = proofs.changed(pair) > CHANGED;
  if (changed && (drawn || colours !== "both")) return false;
  const tones = colours === "one" ? undefined : proofs.tones(pair);
  if (tones === undefined || colours === "one") return !changed && agreement >= SAME;
  // a mark leaves half of the cells as they are, and colours besides
  if (changed) return tones.grey(0.5) <= 1.2 && tones.colour(0.7) <= 2;
  return missOf(tones) <= MISSED[colours];
}

/** Whether two pictures that lie on each other are copies: their details go together, or most are the same and the rest was changed. */
export function isCopy(
  pair: Pair,
  strictness: Strictness,
  kind: PairKind,
  proofs: Proofs,
): boolean {
  const { likeness, agreement } = pair;
  if (strictness === "exact") return false;
  if (strictness === "loose") return likeness >= 0.88 || agreement >= 0.55;
  const drawn = kind.drawn || strictness === "strict"; // no place may be changed
  if (kind.small) return isSmallCopy(pair, { ...kind, drawn }, proofs);
  const same = (likeness >= 0.94 && agreement >= 0.45) || agreement >= 0.68;
  return same && (!drawn || proofs.changed(pair) <= CHANGED);
}
