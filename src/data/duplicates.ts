import { resolve } from "node:path";

import { DataError } from "../core/errors.ts";
import { copyKey, likenessOf, nearPairs } from "./groupImages.ts";
import { readEntries, readHeader } from "./packedIndex.ts";
import type { StoredImage } from "./packedIndex.ts";
import { storedPixels } from "./storedPixels.ts";
import { likeness, mirrored, thumbnail } from "./thumbnail.ts";

/** Two images, by number, that look the same. */
export type AlikePair = {
  readonly a: number;
  readonly b: number;
  readonly likeness: number; // correlation of their thumbnails, 1 for the same pixels
  readonly identical: boolean; // stored pixels are the same
};

function identicalPairs(images: readonly StoredImage[]): AlikePair[] {
  const first = new Map<string, number>();
  return images.flatMap((image, b) => {
    const a = first.get(copyKey(image));
    if (a === undefined) first.set(copyKey(image), b);
    return a === undefined ? [] : [{ a, b, likeness: 1, identical: true }];
  });
}

async function readImages(folder: string) {
  const path = resolve(folder);
  const header = await readHeader(path);
  if (header === undefined) {
    throw new DataError(`dataset: ${JSON.stringify(folder)} is not a packed dataset`);
  }
  return { path, images: await readEntries(path, header) };
}

/** How alike images of a packed dataset look, by number. */
export type LooksAlike = {
  /**
   * Pairs that are the same or nearly so, by pixels and perceptual hashes: copies, other sizes, other
   * compression. Identical ones first, then the most alike.
   */
  readonly pairs: readonly AlikePair[];
  /** Whether the stored pixels are the same. */
  identical(a: number, b: number): boolean;
  /** Whether groups that are nearly the same may be joined along such a pair, by the first image of each. */
  joinable(a: number, b: number): boolean;
  /** Correlation of two thumbnails, mirrored or not. */
  likeness(a: number, b: number): number;
  close(): void;
};

/** Compares the images of a packed dataset. Thumbnails are made once each and kept. */
export async function openLikeness(folder: string): Promise<LooksAlike> {
  const { path, images } = await readImages(folder);
  const pixels = storedPixels(path);
  const kept = new Map<number, Float32Array>();
  const get = (index: number) => {
    const found = kept.get(index) ?? thumbnail(pixels.read(images[index]));
    kept.set(index, found);
    return found;
  };
  try {
    const { pairs, joinable } = nearPairs(images, likenessOf(images, pixels));
    const identical = (a: number, b: number) => copyKey(images[a]) === copyKey(images[b]);
    const near = pairs.filter(({ a, b }) => !identical(a, b));
    return {
      pairs: [
        ...identicalPairs(images),
        ...near.map(({ a, b, value }) => ({ a, b, likeness: value, identical: false })),
      ],
      ...{ identical, joinable },
      likeness(a, b) {
        const [one, other] = [get(a), get(b)];
        return Math.max(likeness(one, other), likeness(one, mirrored(other)));
      },
      close: () => pixels.close(),
    };
  } catch (error) {
    pixels.close();
    throw error;
  }
}
