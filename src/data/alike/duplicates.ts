import { resolve } from "node:path";

import { DataError } from "../../core/errors.ts";
import { quoted } from "../../core/quote.ts";
import { pauses } from "../../core/pause.ts";
import type { PixelImage } from "../../core/pixels.ts";
import { type CopyFacts, copyWords } from "./copies/copyWords.ts";
import { differenceOf } from "./copies/difference.ts";
import { type Gallery, openGallery } from "./copies/findCopies.ts";
import type { Pair } from "./copies/prove.ts";
import { type Strictness, usual } from "./copies/strictness.ts";
import { keptFound, type Traits } from "./foundCopies.ts";
import { likenessOf, pixelKey, searchCopies } from "./groupImages.ts";
import type { PackedDataset } from "../packed/openDataset.ts";
import { readEntries, readHeader } from "../packed/packedIndex.ts";
import type { StoredImage } from "../packed/packedIndex.ts";
import { storedPixels } from "../packed/storedPixels.ts";

/** Why two images are put together: the same pixels, copies, or alike only, as two animations that start alike. */
export type AlikeKind = "identical" | "near" | "similar";

/** Two images, by number, that look the same. */
export type AlikePair = {
  readonly a: number;
  readonly b: number;
  readonly kind: AlikeKind;
  readonly likeness: number; // correlation of their details, 1 for the same pixels
};

/** How alike images of a packed dataset look, by number. */
export type LooksAlike = {
  /** Pairs that are the same or copies, one fewer than the images of each set of them; identical ones first. */
  readonly pairs: readonly AlikePair[];
  /** Whether all of an image is one colour: such images are copies of none. */
  readonly isBlank: (image: number) => boolean;
  /** Two images as the same or as copies, compared by their pixels; undefined where they are not. */
  readonly compare: (a: number, b: number) => AlikePair | undefined;
  /** Correlation of two thumbnails, −1 … 1: how alike they are from afar. */
  readonly likeness: (a: number, b: number) => number;
  /** Below 0 where the first is the one to keep, above 0 where the second is. */
  readonly order: (a: number, b: number) => number;
  /** What was done to an image to make its copy, "mirrored, resized to 50 %"; undefined where they are no copies. */
  readonly words: (kept: number, copy: number) => string | undefined;
  /** What a copy changed, as three pictures beside each other: the kept one, the copy, the difference; undefined where they are no copies. */
  readonly difference: (kept: number, copy: number) => Promise<PixelImage | undefined>;
  readonly close: () => void;
};

async function readImages(folder: string) {
  const path = resolve(folder);
  const header = await readHeader(path);
  if (header === undefined) {
    throw new DataError(`dataset: ${quoted(folder)} is not a packed dataset`);
  }
  return { path, stored: await readEntries(path, header) };
}

/** Pairs of the same stored pixels, each image with the first of them: the same only where the files are beyond these too. */
function samePixels(images: readonly StoredImage[]): AlikePair[] {
  const first = new Map<string, number>();
  return images.flatMap((image, b): AlikePair[] => {
    if (image.blank === true) return [];
    const a = first.get(pixelKey(image));
    if (a === undefined) first.set(pixelKey(image), b);
    if (a === undefined) return [];
    const kind = image.framesHash === images[a].framesHash ? "identical" : "similar";
    return [{ a, b, kind, likeness: 1 }];
  });
}

const GREY = 3; // mean of the largest less the smallest channel
const FEWER = 0.9; // of the pixels of another image

type Kept = { pixels: number; colour: number; lossless: boolean; bytes: number };

/** The better of two copies first: in colour, clearly more pixels, lossless, more pixels, more bytes. */
function compareKept(a: Kept, b: Kept): number {
  const greyer = Number(a.colour < GREY) - Number(b.colour < GREY);
  const clear = Math.min(a.pixels, b.pixels) < FEWER * Math.max(a.pixels, b.pixels);
  return (
    greyer ||
    (clear ? b.pixels - a.pixels : 0) ||
    Number(b.lossless) - Number(a.lossless) ||
    b.pixels - a.pixels ||
    b.bytes - a.bytes
  );
}

/** Compares the images of a packed dataset, opened or in a folder. `exact` finds the same pixels only. */
export async function openLikeness(
  packed: string | Pick<PackedDataset, "path" | "stored">,
  { strictness = usual, signal }: { strictness?: Strictness; signal?: AbortSignal } = {},
): Promise<LooksAlike> {
  const { path, stored: images } = typeof packed === "string" ? await readImages(packed) : packed;
  const pixels = storedPixels(path);
  try {
    const pause = pauses("the search for duplicates", signal);
    const read = (i: number) => pixels.read(images[i]);
    const gallery = openGallery({ count: images.length, read }, strictness);
    const search = async () => (strictness === "exact" ? [] : searchCopies(images, gallery, pause));
    const kept = strictness === usual ? await keptFound(path, images) : undefined;
    const links = kept?.links ?? (await search());
    const traitsOf = (i: number) => kept?.traits[i] ?? gallery.portraitOf(i);
    const looks = looksOf(images, { gallery, links, traitsOf }, read);
    const near = links.map((pair) => looks.pairOf(pair)).sort((p, q) => q.likeness - p.likeness);
    const alike = likenessOf(images, pixels);
    return {
      ...looks,
      pairs: [...samePixels(images), ...near],
      likeness: alike,
      close: () => pixels.close(),
    };
  } catch (error) {
    pixels.close();
    throw error;
  }
}

/** What is known of images once copies were looked for. */
type Known = {
  readonly gallery: Gallery;
  readonly links: readonly Pair[];
  readonly traitsOf: (image: number) => Traits;
};

/** What is asked of images by number. */
function looksOf(
  images: readonly StoredImage[],
  { gallery, links, traitsOf }: Known,
  read: (image: number) => PixelImage,
) {
  const { prover } = gallery;
  const keyOf = (a: number, b: number) => Math.min(a, b) * images.length + Math.max(a, b);
  const proven = new Map(links.map((pair) => [keyOf(pair.a, pair.b), pair]));
  const link = (a: number, b: number) => proven.get(keyOf(a, b)) ?? gallery.link(a, b);
  const sameFrames = (a: number, b: number) => images[a].framesHash === images[b].framesHash;
  const pairOf = ({ a, b, likeness }: Pair): AlikePair => ({
    a,
    b,
    likeness,
    kind: sameFrames(a, b) ? "near" : "similar",
  });
  const isBlank = (image: number) => images[image].blank === true;
  const facts = (image: number, brightness: number): CopyFacts => ({
    width: images[image].originalWidth,
    height: images[image].originalHeight,
    brightness,
    content: traitsOf(image).content,
    colour: traitsOf(image).colour,
  });
  const kept = (image: number): Kept => {
    const { originalWidth, originalHeight, lossless = false, bytes = 0 } = images[image];
    const { content, colour } = traitsOf(image);
    const [left, top, right, bottom] = content;
    const pixels = originalWidth * originalHeight * (right - left) * (bottom - top);
    return { pixels, lossless, bytes, colour };
  };
  return {
    pairOf,
    isBlank,
    order: (a: number, b: number) => compareKept(kept(a), kept(b)) || a - b,
    compare(a: number, b: number): AlikePair | undefined {
      if (isBlank(a) || isBlank(b)) return undefined;
      if (pixelKey(images[a]) === pixelKey(images[b])) {
        return { a, b, kind: sameFrames(a, b) ? "identical" : "similar", likeness: 1 };
      }
      const pair = link(a, b);
      return pair === undefined ? undefined : pairOf(pair);
    },
    words(first: number, copy: number): string | undefined {
      const pair = link(first, copy);
      if (pair === undefined) return undefined;
      const [one, two] = pair.greys;
      const [own, other] = pair.a === first ? [one, two] : [two, one];
      const both = [facts(first, own), facts(copy, other)] as const;
      return copyWords(pair, first, both, () => prover.changed(pair));
    },
    async difference(first: number, copy: number): Promise<PixelImage | undefined> {
      const pair = link(first, copy);
      return pair === undefined ? undefined : differenceOf(read, pair, first);
    },
  };
}
