import type { Window } from "./areaTable.ts";
import { COLOURLESS } from "./portrait.ts";
import type { Pair } from "./prove.ts";
import { turnBack, turnWord } from "./turns.ts";

/** What is told of a picture of a pair to say how it differs from the other. */
export type CopyFacts = {
  readonly width: number; // pixels of the file, upright
  readonly height: number;
  readonly content: Window; // the part within its borders
  readonly colour: number; // 0 for grey pictures
  readonly brightness: number; // mean grey level of what both show
};

const COLOURFUL = 8; // mean of the largest less the smallest channel
const BRIGHTER = 5; // grey levels
const RESIZED = 0.04; // relative
const PART = 0.96; // of the width and height
const CHANGED = 8; // places

const side = ([left, top, right, bottom]: Window) => Math.sqrt((right - left) * (bottom - top));
const isAll = (window: Window) => side(window) > PART;
const near = (a: Window, b: Window) => a.every((edge, i) => Math.abs(edge - b[i]) < 1 - PART);

function windowWords(kept: Window, copy: Window, ofKept: Window, ofCopy: Window): string[] {
  if (!isAll(copy)) return [near(copy, ofCopy) ? "with a border" : "with more around it"];
  if (isAll(kept)) return [];
  const part = `cropped to ${Math.round(100 * side(kept))} %`;
  return [near(kept, ofKept) ? "without its border" : part];
}

function sizeWord(
  pair: { kept: Window; copy: Window; turned: boolean },
  kept: CopyFacts,
  copy: CopyFacts,
) {
  const wide = (facts: CopyFacts, window: Window, upright: boolean) =>
    upright ? facts.width * (window[2] - window[0]) : facts.height * (window[3] - window[1]);
  const ratio = wide(copy, pair.copy, true) / wide(kept, pair.kept, !pair.turned);
  return Math.abs(Math.log(ratio)) > RESIZED ? [`resized to ${Math.round(100 * ratio)} %`] : [];
}

/**
 * What was done to a picture to make its copy: "mirrored", "cropped to 80 %, resized to 50 %", "grey";
 * "recompressed" where nothing else is seen.
 *
 * @param changed places that differ beyond noise
 */
export function copyWords(
  { a, overlay }: Pair,
  keptNumber: number,
  [kept, copy]: readonly [CopyFacts, CopyFacts],
  changed: () => number,
): string {
  const isFirst = a === keptNumber;
  const turn = isFirst ? overlay.turn : turnBack(overlay.turn);
  const ours = isFirst ? overlay.ours : overlay.theirs;
  const theirs = isFirst ? overlay.theirs : overlay.ours;
  const lighter = copy.brightness - kept.brightness;
  const inPlace = isAll(ours) && isAll(theirs) && Math.abs(lighter) <= 2 * BRIGHTER;
  const words = [
    turnWord(turn),
    ...windowWords(ours, theirs, kept.content, copy.content),
    copy.colour < COLOURLESS && kept.colour > COLOURFUL ? "grey" : undefined,
    kept.colour < COLOURLESS && copy.colour > COLOURFUL ? "in colour" : undefined,
    Math.abs(lighter) <= BRIGHTER ? undefined : lighter > 0 ? "brighter" : "darker",
    inPlace && changed() > CHANGED ? "watermarked or changed in places" : undefined,
    ...sizeWord({ kept: ours, copy: theirs, turned: (turn & 4) !== 0 }, kept, copy),
  ].filter((word) => word !== undefined);
  return words.length === 0 ? "recompressed" : words.join(", ");
}
