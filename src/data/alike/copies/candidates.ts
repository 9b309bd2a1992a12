import { whole, type Window } from "./areaTable.ts";
import { gistsWithin, turnGist } from "./gist.ts";
import { gistIndex } from "./gistIndex.ts";
import type { Overlay } from "./overlay.ts";
import { type Portrait, type PortraitOf, portraitSide } from "./portrait.ts";
import { type Turn, turns } from "./turns.ts";

const LEAST = 0.9; // cosine of the gists of copies
const MOST = 64; // candidates of a picture that are looked at, the likeliest

/** Windows of a picture that a copy cut from it may show, near enough for `align` to find the right one, and their gists. */
const cuts = [
  { scale: 0.78, count: 4 },
  { scale: 0.86, count: 3 },
].map(({ scale, count }) => {
  const places = Array.from({ length: count }, (_, i) => ((1 - scale) * i) / (count - 1));
  const windows = places.flatMap((top) =>
    places.map((left): Window => [left, top, left + scale, top + scale]),
  );
  return { windows, gists: gistsWithin(portraitSide, scale, places) };
});

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
  const cells = new Float32Array(portrait.faces[0].cells);
  for (const { windows, gists } of cuts) {
    const found = gists(cells);
    for (const [i, window] of windows.entries()) yield [found[i], 0, window];
  }
}

/**
 * Finds pictures that may be copies of each other, among some.
 *
 * @returns a function that gives those of one picture, the 64 likeliest at most and first, without those that `skip` names
 */
export function candidateFinder(portraitOf: PortraitOf, among: readonly number[]) {
  const entries = among.flatMap((image) =>
    portraitOf(image).faces.map(({ gist }, face) => ({ image, face, gist })),
  );
  const index = gistIndex(
    entries.map(({ gist }) => gist),
    LEAST,
  );
  return (image: number, skip: (other: number) => boolean): Candidate[] => {
    const best = new Map<number, Candidate>();
    for (const [gist, turn, ours] of looksOf(portraitOf(image))) {
      index.near(gist, (at, cosine) => {
        const { image: other, face } = entries[at];
        if (other === image || (best.get(other)?.cosine ?? 0) >= cosine || skip(other)) return;
        const theirs = windowOf(portraitOf(other), face);
        best.set(other, { other, face, cosine, overlay: { turn, ours, theirs } });
      });
    }
    const likeliest = (p: Candidate, q: Candidate) => q.cosine - p.cosine || p.other - q.other;
    return [...best.values()].sort(likeliest).slice(0, MOST);
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
