import { randomStream } from "../core/random.ts";
import type { Features } from "../metrics/index.ts";
import { residentRows, unitRows } from "../metrics/index.ts";

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

/**
 * The cosine that one in a hundred pairs of unrelated images reaches: below it vectors say nothing of two
 * images being one, however close an encoder puts things.
 */
export function similarityThreshold(features: Features): number {
  const { count } = features;
  if (count < 3) return 0.99;
  const cosine = cosineOf(unitRows(features));
  const stream = randomStream(0, "similarity of unrelated images");
  const values: number[] = [];
  for (let i = 0; i < PAIRS; i++) {
    const [a, b] = [stream.integer(count), stream.integer(count)];
    if (a !== b) values.push(cosine(a, b));
  }
  values.sort((a, b) => a - b);
  return values[Math.floor(0.99 * values.length)] ?? 0.99;
}

const NEAREST = 20; // neighbours of an image that may be its duplicates

type Graph = { k: number; indices: Int32Array; similarities: Float32Array };

/** The `k` nearest of each image, itself left out. */
function graphOf(features: Features, k: number): Graph {
  const { count } = features;
  const found = residentRows(features).nearest(features, Math.min(k + 1, count));
  const kept = Math.max(0, found.k - 1);
  const graph: Graph = {
    k: kept,
    indices: new Int32Array(count * kept).fill(-1),
    similarities: new Float32Array(count * kept),
  };
  for (let i = 0; i < count; i++) {
    let at = i * kept;
    for (let j = i * found.k; j < (i + 1) * found.k && at < (i + 1) * kept; j++) {
      if (found.indices[j] === i) continue;
      graph.indices[at] = found.indices[j];
      graph.similarities[at++] = found.similarities[j];
    }
  }
  return graph;
}

/** Pairs of images whose vectors are at least so similar, the most similar first. */
export function similarLinks(features: Features, threshold: number): Link[] {
  const { k, indices, similarities } = graphOf(features, NEAREST);
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
export function mutualLinks(features: Features, k: number): Link[] {
  const graph = graphOf(features, k);
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

/**
 * Joins images along links, strongest kinds first. A group grows only where its first image and that of
 * the other are alike themselves, as `alike` says, so that chains of small steps do not join everything.
 * Groups come in the order of their kinds, the surest first.
 */
export function joinLinks(
  count: number,
  links: readonly Link[],
  alike: (a: number, b: number, kind: LinkKind) => boolean,
): Group[] {
  const group = Array.from({ length: count }, (_, i): { members: number[]; links: Link[] } => ({
    members: [i],
    links: [],
  }));
  const sorted = order.flatMap((kind) => links.filter((link) => link.kind === kind));
  for (const link of sorted) {
    const [one, other] = [group[link.a], group[link.b]];
    if (one === other) continue;
    const [first, second] = [Math.min(...one.members), Math.min(...other.members)];
    if (!alike(first, second, link.kind)) continue;
    const [large, small] = one.members.length >= other.members.length ? [one, other] : [other, one];
    large.members.push(...small.members);
    large.links.push(...small.links, link);
    for (const member of small.members) group[member] = large;
  }
  const several = [...new Set(group)].filter(({ members }) => members.length > 1);
  const groups = several.map(({ members, links: joined }) => ({
    members: members.sort((a, b) => a - b),
    links: joined,
    kind: order[Math.max(...joined.map(({ kind }) => order.indexOf(kind)))],
  }));
  const place = (kind: LinkKind) => order.indexOf(kind);
  return groups.sort((a, b) => place(a.kind) - place(b.kind) || a.members[0] - b.members[0]);
}
