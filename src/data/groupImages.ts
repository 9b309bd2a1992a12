import { randomStream } from "../core/random.ts";
import { burstCandidates } from "./bursts.ts";
import { nearHashes, parseHashes } from "./hashSearch.ts";
import type { GroupSummary, StoredImage } from "./packedIndex.ts";
import { likeness, thumbnail } from "./thumbnail.ts";
import { unionFind } from "./unionFind.ts";
import type { StoredPixels } from "./storedPixels.ts";

const RADIUS = 11; // bits of the perceptual hash
const LIKENESS = 0.97; // of near-duplicates
const BURST_LIKENESS = 0.8;
const ASPECT = 0.1; // relative difference of aspects
const KEPT = 20_000; // thumbnails held

type Likeness = (a: number, b: number) => number;

/** Compares images by their thumbnails, made when needed; a bounded number is kept. */
export function likenessOf(images: readonly StoredImage[], pixels: StoredPixels): Likeness {
  const kept = new Map<number, Float32Array>();
  const get = (index: number) => {
    let found = kept.get(index);
    if (found === undefined) {
      found = thumbnail(pixels.read(images[index]));
      if (kept.size >= KEPT) kept.delete(kept.keys().next().value!);
      kept.set(index, found);
    }
    return found;
  };
  const aspect = ({ width, height }: StoredImage) => Math.log(width / height);
  return (a, b) => {
    if (Math.abs(aspect(images[a]) - aspect(images[b])) > ASPECT) return 0;
    return likeness(get(a), get(b));
  };
}

/**
 * The likeness that near-duplicates must have in a dataset: 0.97, or more where unrelated images are
 * alike already, as pictures of garments on black are.
 */
function threshold(count: number, alike: Likeness): number {
  if (count < 100) return LIKENESS;
  const stream = randomStream(0, "likeness of unrelated images");
  const some = Array.from({ length: Math.min(count, 300) }, () => stream.integer(count));
  const values: number[] = [];
  for (let i = 0; i < 3000; i++) {
    const [a, b] = [some[stream.integer(some.length)], some[stream.integer(some.length)]];
    if (a !== b) values.push(alike(a, b));
  }
  values.sort((a, b) => a - b);
  const high = values[Math.floor(0.999 * values.length)] ?? 0;
  return Math.max(LIKENESS, 1 - (1 - high) / 8);
}

/** The same for images whose stored pixels are the same. */
export const copyKey = ({ crc, width, height, hash }: StoredImage) =>
  `${crc} ${width} ${height} ${hash}`;

/** Pairs that are alike, the most alike first; and whether groups may be joined along them, by their first images. */
export function nearPairs(images: readonly StoredImage[], alike: Likeness) {
  const hashed = images.flatMap(({ hash }, index) => (hash === undefined ? [] : [index]));
  const hashes = parseHashes(hashed.map((index) => images[index].hash!));
  const least = threshold(images.length, alike);
  const found: { a: number; b: number; value: number }[] = [];
  nearHashes(hashes, RADIUS, (i, j) => {
    const [a, b] = [hashed[i], hashed[j]];
    const value = alike(a, b);
    if (value >= least) found.push({ a, b, value });
  });
  const pairs = found.sort((p, q) => q.value - p.value || p.a - q.a || p.b - q.b);
  return { pairs, joinable: (a: number, b: number) => alike(a, b) >= least - 0.02 };
}

function summarise(images: readonly StoredImage[], groups: Int32Array) {
  const members = new Map<number, number[]>();
  groups.forEach((group, i) => {
    const list = members.get(group);
    if (list === undefined) members.set(group, [i]);
    else list.push(i);
  });
  const several = [...members.values()].filter((list) => list.length > 1);
  return {
    groups: members.size,
    grouped: several.reduce((sum, list) => sum + list.length, 0),
    largest: Math.max(0, ...several.map((list) => list.length)),
    examples: several.slice(0, 10).map((list) => list.slice(0, 5).map((i) => images[i].id)),
  };
}

/**
 * Numbers for images such that near-duplicates, pictures of one burst and images that their source
 * puts together share one.
 *
 * Near-duplicates have perceptual hashes within 11 bits and thumbnails that correlate; a group grows
 * only by images that are like its first one, so that chains of small differences do not join
 * everything. Plain images, which have no hash, are grouped as exact copies only.
 *
 * @param near whether to look at the pixels at all
 * @returns a group for each image, numbered by first appearance
 */
export function groupImages(
  images: readonly StoredImage[],
  pixels: StoredPixels,
  near: boolean,
): { groups: Int32Array; summary: GroupSummary } {
  const sets = unionFind(images.length);
  const first = Int32Array.from(images, (_, i) => i); // of each set, by its root
  let [nearDuplicates, bursts] = [0, 0];
  const join = (a: number, b: number) => {
    const [one, other] = [sets.root(a), sets.root(b)];
    if (one === other) return 0;
    const earliest = Math.min(first[one], first[other]);
    sets.join(a, b);
    first[sets.root(a)] = earliest;
    return 1;
  };
  const joinEqual = (key: (image: StoredImage) => string | undefined) => {
    const seen = new Map<string, number>();
    let joins = 0;
    images.forEach((image, i) => {
      const name = key(image);
      if (name === undefined) return;
      const before = seen.get(name);
      if (before === undefined) seen.set(name, i);
      else joins += join(before, i);
    });
    return joins;
  };
  joinEqual(({ sourceGroup }) => sourceGroup);
  if (near) {
    nearDuplicates += joinEqual(copyKey);
    const alike = likenessOf(images, pixels);
    const { pairs, joinable } = nearPairs(images, alike);
    for (const { a, b } of pairs) {
      const [one, other] = [first[sets.root(a)], first[sets.root(b)]];
      if (one !== other && joinable(one, other)) nearDuplicates += join(a, b);
    }
    for (const [a, b] of burstCandidates(images)) {
      if (sets.root(a) !== sets.root(b) && alike(a, b) >= BURST_LIKENESS) bursts += join(a, b);
    }
  }
  const numbers = new Map<number, number>();
  const groups = Int32Array.from(images, (_, i) => {
    const root = sets.root(i);
    if (!numbers.has(root)) numbers.set(root, numbers.size);
    return numbers.get(root)!;
  });
  return { groups, summary: { ...summarise(images, groups), nearDuplicates, bursts } };
}
