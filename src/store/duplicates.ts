import { pauses, type WorkCalls } from "../core/pause.ts";
import { randomStream } from "../core/random.ts";
import type { Features } from "../metrics/index.ts";
import { inverseNorms, nearestOthers, unitRows } from "../metrics/index.ts";

/** Why two images are put together. */
export type LinkKind = "identical" | "near" | "similar" | "mutual";

/** Two images, by number, that belong together. */
export type Link = {
  readonly a: number;
  readonly b: number;
  readonly similarity: number;
  readonly kind: LinkKind;
};

/** Images of one thing, by number. */
export type Group = {
  readonly members: readonly number[]; // ascending
  readonly kind: LinkKind; // of its weakest link
  readonly links: readonly Link[]; // one fewer than members
};

const order: readonly LinkKind[] = ["identical", "near", "similar", "mutual"];

/** Cosine of two rows of unit length. */
export function cosineOf({ data, dimension }: Features): (a: number, b: number) => number {
  return (a, b) => {
    let sum = 0;
    for (let e = 0; e < dimension; e++) sum += data[a * dimension + e] * data[b * dimension + e];
    return sum;
  };
}

const PAIRS = 20_000;
const FEW = 200; // images: of fewer, one pair in a hundred is less than one an image
const SPREADS = 3.45; // from the median to the 99th percentile of a normal distribution

const middle = <T>(sorted: ArrayLike<T>): T => sorted[Math.floor(sorted.length / 2)];

/**
 * The cosine that one in a hundred pairs of unrelated images reaches: below it vectors say nothing of two
 * images being one, however close an encoder puts things. Pairs that `related` knows do not count. Of a few
 * images the most alike pairs may be duplicates that it does not know: there the threshold is at most where
 * a normal distribution as wide as the middle half of all pairs has its 99th percentile.
 */
export function similarityThreshold(
  features: Features,
  related: (a: number, b: number) => boolean,
): number {
  const { count } = features;
  if (count < 3) return 0.99;
  const cosine = cosineOf(unitRows(features));
  const inverse = inverseNorms(features);
  const stream = randomStream(0, "similarity of unrelated images");
  const pairs: { a: number; b: number; value: number }[] = [];
  for (let i = 0; i < PAIRS; i++) {
    const [a, b] = [stream.integer(count), stream.integer(count)];
    if (a !== b && inverse[a] > 0 && inverse[b] > 0) pairs.push({ a, b, value: cosine(a, b) });
  }
  if (pairs.length === 0) return 0.99;
  pairs.sort((p, q) => q.value - p.value);
  let above = 0;
  const reached = pairs.find(({ a, b }) => !related(a, b) && ++above > pairs.length / 100);
  const high = reached?.value ?? 0.99;
  if (count >= FEW) return high;
  const median = middle(pairs).value;
  const spread = middle(Float64Array.from(pairs, ({ value }) => Math.abs(value - median)).sort());
  return Math.min(high, median + SPREADS * spread);
}

const NEAREST = 20; // neighbours of an image that may be its duplicates

/** The `k` nearest of each image, itself left out. Vectors of zeros have no direction: they are near none. */
function graphOf(features: Features, k: number, { progress, signal }: WorkCalls) {
  const pause = pauses("the search for duplicates", signal);
  return nearestOthers(features, k, async (done) => {
    progress?.(done, features.count);
    await pause();
  });
}

/** Pairs of images whose vectors are at least so similar, the most similar first. */
export async function similarLinks(
  features: Features,
  threshold: number,
  calls: WorkCalls = {},
): Promise<Link[]> {
  const { k, indices, similarities } = await graphOf(features, NEAREST, calls);
  const links: Link[] = [];
  for (let at = 0; at < indices.length; at++) {
    const [a, b, similarity] = [Math.floor(at / k), indices[at], similarities[at]];
    const listed = b < a && indices.subarray(b * k, (b + 1) * k).includes(a); // from b's side
    if (similarity >= threshold && !listed && b >= 0) {
      links.push({ a, b, similarity, kind: "similar" });
    }
  }
  return links.sort((p, q) => q.similarity - p.similarity);
}

/** Pairs of images that are each among the other's `k` nearest: the mutual k-NN graph. */
export async function mutualLinks(
  features: Features,
  k: number,
  calls: WorkCalls = {},
): Promise<Link[]> {
  const graph = await graphOf(features, k, calls);
  const links: Link[] = [];
  for (let at = 0; at < graph.indices.length; at++) {
    const [a, b] = [Math.floor(at / graph.k), graph.indices[at]];
    const back = graph.indices.subarray(b * graph.k, (b + 1) * graph.k).includes(a);
    if (a < b && back) {
      links.push({ a, b, similarity: graph.similarities[at], kind: "mutual" });
    }
  }
  return links.sort((p, q) => q.similarity - p.similarity);
}

/** Two groups that a link of a kind would join, by the first image of each; `size` is that of both together. */
export type Joining = { a: number; b: number; kind: LinkKind; size: number };

type Growing = { first: number; members: number[]; links: Link[] };

/**
 * Joins images along links, strongest kinds first. A group grows only where `may` says so of its first
 * image and that of the other, so that chains of small steps do not join everything. Groups come in the
 * order of their kinds, the surest first.
 */
export function joinLinks(
  count: number,
  links: readonly Link[],
  may: (joining: Joining) => boolean,
): Group[] {
  const group = Array.from({ length: count }, (_, i): Growing => ({
    first: i,
    members: [i],
    links: [],
  }));
  const sorted = order.flatMap((kind) => links.filter((link) => link.kind === kind));
  for (const link of sorted) {
    const [one, other] = [group[link.a], group[link.b]];
    if (one === other) continue;
    const size = one.members.length + other.members.length;
    if (!may({ a: one.first, b: other.first, kind: link.kind, size })) continue;
    const [large, small] = one.members.length >= other.members.length ? [one, other] : [other, one];
    large.first = Math.min(large.first, small.first);
    for (const joined of small.links) large.links.push(joined);
    large.links.push(link);
    for (const member of small.members) {
      large.members.push(member);
      group[member] = large;
    }
  }
  const several = [...new Set(group)].filter(({ members }) => members.length > 1);
  const groups = several.map(({ members, links: joined }) => ({
    members: members.sort((a, b) => a - b),
    links: joined,
    kind: joined.at(-1)!.kind, // the weakest kind is joined last
  }));
  const place = (kind: LinkKind) => order.indexOf(kind);
  return groups.sort((a, b) => place(a.kind) - place(b.kind) || a.members[0] - b.members[0]);
}
