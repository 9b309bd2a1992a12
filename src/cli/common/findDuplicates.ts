import { pauses } from "../../core/pause.ts";
import { type LooksAlike, openLikeness, type Strictness } from "../../data/index.ts";
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
} from "../../store/duplicates.ts";
import { counted } from "../format.ts";
import type { Call } from "../verb.ts";
import { progressOf } from "./images.ts";
import type { ImageSet } from "./imageSet.ts";
import { sayZeros } from "./zeroVectors.ts";

/** How duplicates are looked for. */
export type Asked = {
  readonly strictness: Strictness;
  readonly vectors: boolean; // whether to go by vectors at all
  readonly threshold: number | undefined;
  readonly mutual: number | undefined;
};

/**
 * What was found: duplicates, then images that look alike to the encoder, then each other's nearest; duplicates
 * among the images of the later ones stay listed as duplicates.
 */
export type Found = { readonly groups: readonly Group[]; readonly threshold: number | undefined };

/** How images of a set look, by row; undefined and 0 where their pixels are not at hand. */
export type Looks = Pick<LooksAlike, "likeness" | "words" | "difference" | "order" | "close"> & {
  readonly links: readonly Link[]; // by pixels
  readonly blank: readonly number[]; // rows of images of one colour
  link(a: number, b: number): Link | undefined; // any two, compared
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

const pixelsOf = ({ images }: ImageSet, row: number) => images[row].width * images[row].height;

/** Looks where no pixels are at hand: by the content that was noted when the images were embedded. */
const blindLooks = (set: ImageSet): Looks => ({
  links: contentLinks(set),
  blank: [],
  link: () => undefined,
  likeness: (a, b) => Number(set.images[a].content === set.images[b].content),
  words: () => undefined,
  difference: () => Promise.resolve(undefined),
  order: (a, b) => pixelsOf(set, b) - pixelsOf(set, a),
  close: () => undefined,
});

/** Opens the looks of the images of a set. */
export async function openLooks(set: ImageSet, { strictness }: Asked, call: Call): Promise<Looks> {
  const { numbers, packed } = set;
  const blind = blindLooks(set);
  if (packed === undefined) return blind;
  const looks = await openLikeness(packed, { strictness, signal: call.signal });
  const rows = new Map(Array.from(numbers, (number, row) => [number, row]));
  const links = looks.pairs.flatMap(({ a: one, b: other, likeness, kind }): Link[] => {
    const [a, b] = [rows.get(one), rows.get(other)];
    return a === undefined || b === undefined ? [] : [{ a, b, similarity: likeness, kind }];
  });
  const seen = (a: number, b: number) => numbers[a] >= 0 && numbers[b] >= 0;
  const by =
    <T>(look: (a: number, b: number) => T, blindly: (a: number, b: number) => T) =>
    (a: number, b: number) =>
      seen(a, b) ? look(numbers[a], numbers[b]) : blindly(a, b);
  return {
    links: [...blind.links.filter(({ a, b }) => !seen(a, b)), ...links],
    blank: [...numbers.keys()].filter((row) => numbers[row] >= 0 && looks.isBlank(numbers[row])),
    link(a, b) {
      const pair = seen(a, b) ? looks.compare(numbers[a], numbers[b]) : undefined;
      return pair && { a, b, similarity: pair.likeness, kind: pair.kind };
    },
    likeness: by(looks.likeness, blind.likeness),
    words: by(looks.words, blind.words),
    difference: by(looks.difference, blind.difference),
    order: by(looks.order, blind.order),
    close: looks.close,
  };
}

const LIKENESS = 0.94; // of thumbnails of images that vectors put together

/**
 * Links between images that the encoder takes for alike. Those that their pixels prove to be copies are
 * duplicates; the others only look alike. A threshold that is given decides alone which do; else their
 * thumbnails must be alike too, so that nothing is linked whose pixels are gone.
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
    signal,
    progress: (done, total) => show("searching", done, total),
  });
  const pause = pauses("the search for duplicates", signal);
  const kept: Link[] = [];
  for (const [i, link] of links.entries()) {
    await pause();
    const copy = looks.link(link.a, link.b);
    if (copy !== undefined) kept.push(copy);
    else if (given !== undefined || alike(link.a, link.b)) kept.push(link);
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

/** Whether a group is of duplicates, of which one image is enough. */
export const isDuplicate = ({ kind }: Pick<Group, "kind">): boolean =>
  kind === "identical" || kind === "near";

const ofKind = (groups: readonly Group[], kind: Group["kind"]) =>
  groups.filter((group) => group.kind === kind);

/** Finds groups of duplicates and, by vectors, of images that look alike or are each other's nearest. */
export async function findDuplicates(
  set: ImageSet,
  asked: Asked,
  looks: Looks,
  call: Call,
): Promise<Found> {
  const { mutual, vectors } = asked;
  const features = vectors ? set.features : undefined;
  const count = set.images.length;
  sayUnseen(set, asked, call);
  if (features !== undefined) sayZeros(features, call);
  const always = () => true;
  const found =
    features === undefined
      ? { links: [], threshold: undefined }
      : await vectorLinks(features, looks, asked, call);
  const links = [...looks.links, ...found.links];
  const cosine = features === undefined ? undefined : cosineOf(unitRows(features));
  const near = ({ a, b, kind }: Joining) =>
    kind !== "similar" || cosine === undefined || cosine(a, b) >= found.threshold! - 0.01;
  const duplicates = joinLinks(count, links.filter(isDuplicate), always);
  const alike = ofKind(joinLinks(count, links, near), "similar");
  const groups = [...duplicates, ...alike];
  if (mutual === undefined || features === undefined) {
    return { groups, threshold: found.threshold };
  }
  const show = progressOf(call);
  const nearest = await mutualLinks(features, mutual, {
    signal: call.signal,
    progress: (done, total) => show("searching", done, total),
  });
  // an image and its nearest: larger groups would be chains
  const together = (joining: Joining) =>
    joining.kind === "mutual" ? joining.size <= mutual + 1 : near(joining);
  const wider = joinLinks(count, [...links, ...nearest], together);
  return { groups: [...groups, ...ofKind(wider, "mutual")], threshold: found.threshold };
}
