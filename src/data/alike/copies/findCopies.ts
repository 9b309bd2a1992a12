import { unionFind } from "../unionFind.ts";
import { type Candidate, candidateFinder, candidateOf } from "./candidates.ts";
import { COLOURLESS, drawPortrait, type Portrait, type PortraitOf } from "./portrait.ts";
import { type Pair, type Pictures, type Prover, prover } from "./prove.ts";
import { isCopy, type Strictness } from "./strictness.ts";

/** Raised whenever the search finds others in the same pixels: what was kept of it before is not used then. */
export const SEARCH = 4;

const COLOURS = ["none", "one", "both"] as const;

/** Pictures drawn small, and a proof for any two of them. */
export type Gallery = {
  readonly count: number;
  readonly portraitOf: PortraitOf;
  readonly prover: Prover;
  /** A picture and its candidate as copies; undefined where they are not. */
  readonly copy: (image: number, candidate: Candidate) => Pair | undefined;
  /** Any two pictures as copies, in either order; undefined where they are not. */
  readonly link: (a: number, b: number) => Pair | undefined;
};

/**
 * Opens pictures to be compared. Their portraits are drawn when they are needed.
 *
 * @param known portraits that were drawn before, by number
 */
export function openGallery(
  pictures: Pictures,
  strictness: Strictness,
  known: readonly (Portrait | undefined)[] = [],
): Gallery {
  const portraits = known.slice();
  const portraitOf = (i: number) => (portraits[i] ??= drawPortrait(pictures.read(i)));
  const proofs = prover(pictures, portraitOf);
  const copy = (image: number, candidate: Candidate) => {
    const pair = proofs.prove(image, candidate);
    if (pair === undefined) return undefined;
    const [one, other] = [portraitOf(pair.a), portraitOf(pair.b)];
    const coloured = [one, other].filter(({ colour }) => colour >= COLOURLESS).length;
    const kind = {
      drawn: one.drawn && other.drawn,
      small: one.small || other.small,
      colours: COLOURS[coloured],
    };
    return isCopy(pair, strictness, kind, proofs) ? pair : undefined;
  };
  const directed = (a: number, b: number) => copy(a, candidateOf(portraitOf(a), b, portraitOf(b)));
  const link = (a: number, b: number) => directed(a, b) ?? directed(b, a);
  return { count: pictures.count, portraitOf, prover: proofs, copy, link };
}

const area = ([left, top, right, bottom]: readonly number[]) => (right - left) * (bottom - top);
const PART = 0.95; // of the other's area

/** Sets of copies, each with the picture that all its members are copies of: the one that shows most. */
function copySets(count: number, { link }: Gallery) {
  const sets = unionFind(count);
  const first = Int32Array.from({ length: count }, (_, i) => i); // of each set, by its root
  const firstOf = (a: number) => first[sets.root(a)];
  return {
    together: (a: number, b: number) => sets.root(a) === sets.root(b),
    /** Joins the sets of a link where their firsts are copies of the other's pictures: chains of small steps do not join everything. */
    join({ a, b, overlay }: Pair): boolean {
      const [one, other] = [firstOf(a), firstOf(b)];
      if (one !== a && link(one, b) === undefined) return false;
      if (other !== b && link(other, a) === undefined) return false;
      const shows = area(overlay.ours) < PART * area(overlay.theirs);
      sets.join(a, b);
      first[sets.root(a)] = shows ? one : Math.min(one, other);
      return true;
    },
  };
}

/**
 * Finds pairs of pictures that are one: resized, recompressed, brighter, darker, grey, turned, mirrored, cut,
 * with a border or a mark. First candidates are found whose coarse structure is near, then each is laid on the
 * other and their details are compared. What unrelated pictures have in common has no part in that: a set
 * may be of copies mostly, or small, and the same pairs are found.
 *
 * @param among the pictures to look at
 * @param skip pairs that are not to be looked at, as they are known by then
 * @param pause awaited between pictures: lets other things have their turn, and may throw
 */
export async function* copyLinks(
  { portraitOf, copy }: Gallery,
  among: readonly number[],
  skip: (a: number, b: number) => boolean,
  pause: () => Promise<void>,
): AsyncGenerator<Pair> {
  for (const a of among) {
    portraitOf(a);
    await pause();
  }
  const candidatesOf = candidateFinder(portraitOf, among);
  for (const a of among) {
    for (const candidate of candidatesOf(a, (b) => skip(a, b))) {
      const pair = skip(a, candidate.other) ? undefined : copy(a, candidate);
      if (pair !== undefined) yield pair;
    }
    await pause();
  }
}

/** Finds sets of copies among pictures: links that join those of each set, one fewer than these. */
export async function findCopies(
  gallery: Gallery,
  among: readonly number[],
  pause: () => Promise<void> = async () => {},
): Promise<Pair[]> {
  const sets = copySets(gallery.count, gallery);
  const links: Pair[] = [];
  for await (const link of copyLinks(gallery, among, sets.together, pause)) {
    if (sets.join(link)) links.push(link);
  }
  return links;
}
