import { pauses } from "../core/pause.ts";
import { burstCandidates } from "./bursts.ts";
import { findCopies, openGallery } from "./copies/findCopies.ts";
import type { GroupSummary, StoredImage } from "./packedIndex.ts";
import { likeness, thumbnail } from "./thumbnail.ts";
import { unionFind } from "./unionFind.ts";
import type { StoredPixels } from "./storedPixels.ts";

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

/** The same for images whose stored pixels are the same. */
export const pixelKey = ({ crc, width, height }: StoredImage) => `${crc} ${width} ${height}`;

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

/** Sets of images, and the number of joins that each kind of finding made. */
function grouping(count: number) {
  const sets = unionFind(count);
  const join = (a: number, b: number): number => {
    if (sets.root(a) === sets.root(b)) return 0;
    sets.join(a, b);
    return 1;
  };
  const joinEqual = (keys: readonly (string | undefined)[]): number => {
    const seen = new Map<string, number>();
    let joins = 0;
    keys.forEach((key, i) => {
      if (key === undefined) return;
      const before = seen.get(key);
      if (before === undefined) seen.set(key, i);
      else joins += join(before, i);
    });
    return joins;
  };
  const numbers = () => {
    const known = new Map<number, number>();
    return Int32Array.from({ length: count }, (_, i) => {
      const root = sets.root(i);
      if (!known.has(root)) known.set(root, known.size);
      return known.get(root)!;
    });
  };
  return {
    join,
    joinEqual,
    together: (a: number, b: number) => sets.root(a) === sets.root(b),
    numbers,
  };
}

/** Numbers of the images of which there is no other before them with the same pixels. */
export function firstOfPixels(images: readonly StoredImage[]): number[] {
  const seen = new Set<string>();
  return images.flatMap((image, i) => {
    const key = pixelKey(image);
    if (seen.has(key)) return [];
    seen.add(key);
    return [i];
  });
}

/**
 * Numbers for images such that copies, pictures of one burst and images that their source puts together
 * share one. Copies are `strict` ones, as images of a group are never each other's negatives: forms that differ in a
 * number are not one. Images of the same pixels share one even where their files differ beyond these, as
 * animations that start alike: to an encoder they are one.
 *
 * @param near whether to look at the pixels at all
 * @param signal stops the search with an error
 * @returns a group for each image, numbered by first appearance
 */
export async function groupImages(
  images: readonly StoredImage[],
  pixels: StoredPixels,
  near: boolean,
  signal?: AbortSignal,
): Promise<{ groups: Int32Array; summary: GroupSummary }> {
  const { join, joinEqual, together, numbers } = grouping(images.length);
  joinEqual(images.map(({ sourceGroup }) => sourceGroup));
  let [nearDuplicates, bursts] = [0, 0];
  if (near) {
    nearDuplicates += joinEqual(images.map(pixelKey));
    const pause = pauses("the search for copies", signal);
    const own = firstOfPixels(images);
    const pictures = { count: own.length, read: (i: number) => pixels.read(images[own[i]]) };
    const gallery = await openGallery(pictures, "strict", pause);
    const links = await findCopies(gallery, [...own.keys()], pause);
    for (const { a, b } of links) nearDuplicates += join(own[a], own[b]);
    const alike = likenessOf(images, pixels);
    for (const [a, b] of burstCandidates(images)) {
      if (!together(a, b) && alike(a, b) >= BURST_LIKENESS) bursts += join(a, b);
    }
  }
  const groups = numbers();
  return { groups, summary: { ...summarise(images, groups), nearDuplicates, bursts } };
}
