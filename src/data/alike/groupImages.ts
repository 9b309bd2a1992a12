import { pauses } from "../../core/pause.ts";
import { burstCandidates } from "./bursts.ts";
import { findCopies, type Gallery, openGallery } from "./copies/findCopies.ts";
import type { Portrait, PortraitOf } from "./copies/portrait.ts";
import type { Pair } from "./copies/prove.ts";
import { usual } from "./copies/strictness.ts";
import type { GroupSummary, StoredImage } from "../packed/packedIndex.ts";
import { likeness, thumbnail } from "./thumbnail.ts";
import { unionFind } from "./unionFind.ts";
import type { StoredPixels } from "../packed/storedPixels.ts";

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
function firstOfPixels(images: readonly StoredImage[]): number[] {
  const seen = new Set<string>();
  return images.flatMap((image, i) => {
    const key = pixelKey(image);
    if (seen.has(key)) return [];
    seen.add(key);
    return [i];
  });
}

/** Finds copies among stored images: links that join those of each set. Those of the same pixels, and plain ones, are none. */
export function searchCopies(
  images: readonly StoredImage[],
  gallery: Gallery,
  pause: () => Promise<void>,
): Promise<Pair[]> {
  const among = firstOfPixels(images).filter((i) => images[i].blank !== true);
  return findCopies(gallery, among, pause);
}

/** How images are grouped. */
export type Grouping = {
  readonly near: boolean; // whether to look at the pixels at all
  readonly portraits: ReadonlyMap<string, Portrait>; // that were drawn before, by `pixelKey`
  readonly signal?: AbortSignal | undefined; // stops the search with an error
};

/** Groups of images. */
export type Grouped = {
  readonly groups: Int32Array; // of each image, numbered by first appearance
  readonly summary: GroupSummary;
  /** Copies and all that was drawn to find them, where it was looked for them. */
  readonly copies?: { readonly links: readonly Pair[]; readonly portraitOf: PortraitOf };
};

/**
 * Numbers for images such that copies (of the `usual` strictness), pictures of one burst and images that their source puts together
 * share one: images of a group are never each other's negatives. Images of the same pixels share one even where their files differ beyond these, as
 * animations that start alike: to an encoder they are one.
 */
export async function groupImages(
  images: readonly StoredImage[],
  pixels: StoredPixels,
  { near, portraits, signal }: Grouping,
): Promise<Grouped> {
  const { join, joinEqual, together, numbers } = grouping(images.length);
  joinEqual(images.map(({ sourceGroup }) => sourceGroup));
  let [nearDuplicates, bursts] = [0, 0];
  let copies: Grouped["copies"];
  if (near) {
    nearDuplicates += joinEqual(images.map(pixelKey));
    const pictures = { count: images.length, read: (i: number) => pixels.read(images[i]) };
    const known = images.map((image) => portraits.get(pixelKey(image)));
    const gallery = openGallery(pictures, usual, known);
    const links = await searchCopies(images, gallery, pauses("the search for copies", signal));
    for (const { a, b } of links) nearDuplicates += join(a, b);
    copies = { links, portraitOf: gallery.portraitOf };
    const alike = likenessOf(images, pixels);
    for (const [a, b] of burstCandidates(images)) {
      if (!together(a, b) && alike(a, b) >= BURST_LIKENESS) bursts += join(a, b);
    }
  }
  const groups = numbers();
  const summary = { ...summarise(images, groups), nearDuplicates, bursts };
  return { groups, summary, ...(copies === undefined ? {} : { copies }) };
}
