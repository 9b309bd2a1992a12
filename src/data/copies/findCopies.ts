import { unionFind } from "../unionFind.ts";
import { candidateFinder, candidateOf } from "./candidates.ts";
import type { Laid } from "./overlay.ts";
import { drawPortrait, type Portrait } from "./portrait.ts";
import { isCopy, type Pictures, prover } from "./prove.ts";

/** Two pictures, by number, that are one. The first shows all that the second shows, or more. */
export type CopyLink = Laid & { readonly a: number; readonly b: number };

/** Pictures drawn small, and a proof for any two of them. */
export type Gallery = {
  readonly portraits: readonly Portrait[];
  readonly prove: ReturnType<typeof prover>;
  /** How two pictures are one, in either order; undefined where they are not. */
  readonly link: (a: number, b: number) => CopyLink | undefined;
};

/** Draws the portraits of pictures. */
export async function openGallery(
  pictures: Pictures,
  pause: () => Promise<void> = async () => {},
): Promise<Gallery> {
  const portraits: Portrait[] = [];
  for (let i = 0; i < pictures.count; i++) {
    portraits.push(drawPortrait(pictures.read(i)));
    await pause();
  }
  const prove = prover(pictures, portraits);
  const directed = (a: number, b: number): CopyLink | undefined => {
    const laid = prove(a, candidateOf(portraits[a], b, portraits[b]));
    return laid !== undefined && isCopy(laid) ? { a, b, ...laid } : undefined;
  };
  return { portraits, prove, link: (a, b) => directed(a, b) ?? directed(b, a) };
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
    join({ a, b, overlay }: CopyLink): boolean {
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
 * @param skip pairs that are not to be looked at, as they are known by then
 * @param pause awaited between pictures: lets other things have their turn, and may throw
 */
export async function* copyLinks(
  { portraits, prove }: Gallery,
  skip: (a: number, b: number) => boolean,
  pause: () => Promise<void>,
): AsyncGenerator<CopyLink> {
  const candidatesOf = candidateFinder(portraits);
  for (let a = 0; a < portraits.length; a++) {
    for (const candidate of candidatesOf(a, (b) => skip(a, b))) {
      const b = candidate.other;
      const laid = skip(a, b) ? undefined : prove(a, candidate);
      if (laid !== undefined && isCopy(laid)) yield { a, b, ...laid };
    }
    await pause();
  }
}

/** Finds sets of copies among pictures: links that join those of each set, one fewer than these. */
export async function findCopies(
  gallery: Gallery,
  pause: () => Promise<void> = async () => {},
): Promise<CopyLink[]> {
  const sets = copySets(gallery.portraits.length, gallery);
  const links: CopyLink[] = [];
  for await (const link of copyLinks(gallery, sets.together, pause)) {
    if (sets.join(link)) links.push(link);
  }
  return links;
}
