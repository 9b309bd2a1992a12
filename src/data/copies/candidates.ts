import { cellTable, whole, type Window } from "./areaTable.ts";
import { gistOf, turnGist } from "./gist.ts";
import { gistIndex } from "./gistIndex.ts";
import type { Overlay } from "./overlay.ts";
import { type Portrait, portraitSide } from "./portrait.ts";
import { type Turn, turns } from "./turns.ts";

const LEAST = 0.9; // cosine of the gists of copies

/** Windows of a picture that a copy cut from it may show, near enough for `align` to find the right one. */
const cuts: readonly Window[] = [
  { scale: 0.78, places: 4 },
  { scale: 0.86, places: 3 },
].flatMap(({ scale, places }) =>
  Array.from({ length: places * places }, (_, i): Window => {
    const left = ((1 - scale) * (i % places)) / (places - 1);
    const top = ((1 - scale) * Math.floor(i / places)) / (places - 1);
    return [left, top, left + scale, top + scale];
  }),
);

/** A picture that may be a copy of another, and how it may lie on it. */
export type Candidate = {
  readonly other: number;
  readonly face: number; // of the other
  readonly cosine: number; // of their gists
  readonly overlay: Overlay;
};

/** The part of a picture that a face of its portrait shows. */
export const windowOf = ({ content }: Portrait, face: number): Window =>
  face === 0 ? whole : content;

/** Every gist under which a picture looks for its copies: turned, and of what may have been cut from it. */
export function* looksOf(portrait: Portrait): Generator<[Float32Array, Turn, Window]> {
  for (const [face, { gist }] of portrait.faces.entries()) {
    for (const turn of turns) yield [turnGist(gist, turn), turn, windowOf(portrait, face)];
  }
  const table = cellTable(portrait.faces[0].cells, portraitSide);
  for (const cut of cuts) yield [gistOf(table, cut), 0, cut];
}

/**
 * Finds pictures that may be copies of each other, among some.
 *
 * @returns a function that gives those of one picture, the likeliest first, without those that `skip` names
 */
export function candidateFinder(portraits: readonly Portrait[], among: readonly number[]) {
  const entries = among.flatMap((image) =>
    portraits[image].faces.map(({ gist }, face) => ({ image, face, gist })),
  );
  const index = gistIndex(
    entries.map(({ gist }) => gist),
    LEAST,
  );
  return (image: number, skip: (other: number) => boolean): Candidate[] => {
    const best = new Map<number, Candidate>();
    for (const [gist, turn, ours] of looksOf(portraits[image])) {
      index.near(gist, (at, cosine) => {
        const { image: other, face } = entries[at];
        if (other === image || (best.get(other)?.cosine ?? 0) >= cosine || skip(other)) return;
        const theirs = windowOf(portraits[other], face);
        best.set(other, { other, face, cosine, overlay: { turn, ours, theirs } });
      });
    }
    return [...best.values()].sort((p, q) => q.cosine - p.cosine || p.other - q.other);
  };
}

/** The likeliest way in which one picture may lie on another. */
export function candidateOf(portrait: Portrait, other: number, theirs: Portrait): Candidate {
  let best: Candidate | undefined;
  for (const [gist, turn, ours] of looksOf(portrait)) {
    for (const [face, known] of theirs.faces.entries()) {
      const cosine = gist.reduce((sum, value, k) => sum + value * known.gist[k], 0);
      if (best !== undefined && best.cosine >= cosine) continue;
      best = { other, face, cosine, overlay: { turn, ours, theirs: windowOf(theirs, face) } };
    }
  }
  return best!;
}
