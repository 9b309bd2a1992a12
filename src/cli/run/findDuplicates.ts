import { pauses } from "../../core/pause.ts";
import { openLikeness } from "../../data/index.ts";
import { type Features, unitRows } from "../../metrics/index.ts";
import {
  cosineOf,
  type Group,
  type Joining,
  joinLinks,
  type Link,
  mutualLinks,
  similarityThreshold,
  similarLinks,
} from "../../store/index.ts";
import { counted } from "../format.ts";
import type { Call } from "../verb.ts";
import { progressOf } from "./images.ts";
import type { ImageSet } from "./imageSet.ts";

/** How duplicates are looked for. */
export type Asked = {
  readonly vectors: boolean; // whether to go by vectors at all
  readonly threshold: number | undefined;
  readonly mutual: number | undefined;
};

/**
 * What was found. Groups of each other's nearest come last; the duplicates among their images are listed
 * as duplicates too.
 */
export type Found = { readonly groups: readonly Group[]; readonly threshold: number | undefined };

/** How images of a set look, by row. */
type Looks = {
  readonly links: readonly Link[]; // by pixels
  joinable(a: number, b: number): boolean;
  likeness(a: number, b: number): number;
  close(): void;
};

/** Links between images whose content was the same when they were embedded. */
function contentLinks({ images }: ImageSet): Link[] {
  const first = new Map<string, number>();
  return images.flatMap(({ content }, b): Link[] => {
    const a = first.get(content);
    if (a === undefined) first.set(content, b);
    if (a === undefined || content === "") return [];
    return [{ a, b, similarity: 1, kind: "identical" }];
  });
}

async function openLooks(set: ImageSet): Promise<Looks> {
  const { images, numbers, packed } = set;
  const looks = packed === undefined ? undefined : await openLikeness(packed);
  const rows = new Map(Array.from(numbers, (number, row) => [number, row]));
  const links = looks?.pairs.flatMap(({ a: one, b: other, likeness, identical }): Link[] => {
    const [a, b] = [rows.get(one), rows.get(other)];
    if (a === undefined || b === undefined) return [];
    return [{ a, b, similarity: likeness, kind: identical ? "identical" : "near" }];
  });
  const seen = (a: number, b: number) => numbers[a] >= 0 && numbers[b] >= 0;
  const copies = contentLinks(set).filter(
    ({ a, b }) => !seen(a, b) || looks!.identical(numbers[a], numbers[b]),
  );
  const same = (a: number, b: number) =>
    images[a].content === images[b].content && images[a].content !== "";
  return {
    links: [...copies, ...(links ?? [])],
    joinable: (a, b) => seen(a, b) && looks!.joinable(numbers[a], numbers[b]),
    likeness(a, b) {
      if (seen(a, b)) return looks!.likeness(numbers[a], numbers[b]);
      return same(a, b) ? 1 : 0;
    },
    close: () => looks?.close(),
  };
}

const LIKENESS = 0.94; // of thumbnails of images that vectors put together

/**
 * Links between images that the encoder takes for alike. A threshold that is given decides alone; else
 * the pictures must look alike too, mirrored or not, so that nothing is linked whose pixels are gone.
 */
async function vectorLinks(
  features: Features,
  looks: Looks,
  { threshold: given }: Asked,
  call: Call,
) {
  const { signal } = call;
  const show = progressOf(call);
  const alike = (a: number, b: number) => looks.likeness(a, b) >= LIKENESS;
  const threshold = given ?? similarityThreshold(features, alike);
  const links = await similarLinks(features, threshold, {
    ...{ signal, progress: (done, total) => show("searching", done, total) },
  });
  if (given !== undefined) return { links, threshold };
  const pause = pauses("the search for duplicates", signal);
  const kept: Link[] = [];
  for (const [i, link] of links.entries()) {
    await pause();
    if (alike(link.a, link.b)) kept.push(link);
    show("comparing", i + 1, links.length, "pairs");
  }
  return { links: kept, threshold };
}

/** Says where pixels are missing that would have been looked at. */
function sayUnseen({ images, numbers }: ImageSet, { threshold }: Asked, { printer }: Call): void {
  const unseen = numbers.filter((number) => number < 0).length;
  if (unseen === 0 || threshold !== undefined) return;
  const which = unseen === images.length ? "all images" : counted(unseen, "image");
  printer.note(
    `note       the pixels of ${which} are not at hand: of these only identical ones are found; embed again, or let vectors alone decide with --threshold`,
  );
}

/** Finds groups of duplicates and, where asked, of images that are each other's nearest. */
export async function findDuplicates(set: ImageSet, asked: Asked, call: Call): Promise<Found> {
  const { mutual, vectors } = asked;
  const features = vectors ? set.features : undefined;
  const count = set.images.length;
  sayUnseen(set, asked, call);
  const looks = await openLooks(set);
  try {
    const near = ({ a, b, kind }: Joining) => kind !== "near" || looks.joinable(a, b);
    if (features === undefined) {
      return { groups: joinLinks(count, looks.links, near), threshold: undefined };
    }
    const { links, threshold } = await vectorLinks(features, looks, asked, call);
    const cosine = cosineOf(unitRows(features));
    const one = (joining: Joining) =>
      joining.kind === "similar" ? cosine(joining.a, joining.b) >= threshold - 0.01 : near(joining);
    const all = [...looks.links, ...links];
    const groups = joinLinks(count, all, one);
    if (mutual === undefined) return { groups, threshold };
    const show = progressOf(call);
    const nearest = await mutualLinks(features, mutual, {
      ...{ signal: call.signal, progress: (done, total) => show("searching", done, total) },
    });
    // an image and its nearest: larger groups would be chains
    const together = (joining: Joining) =>
      joining.kind === "mutual" ? joining.size <= mutual + 1 : one(joining);
    const wider = joinLinks(count, [...all, ...nearest], together);
    return { groups: [...groups, ...wider.filter(({ kind }) => kind === "mutual")], threshold };
  } finally {
    looks.close();
  }
}
