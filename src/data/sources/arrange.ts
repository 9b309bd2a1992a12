import { counted } from "../../core/counted.ts";
import { classLevel, classOf } from "./classLevel.ts";
import type { Beside } from "./labelFiles.ts";
import { partNamed } from "./partNames.ts";
import { chooseParts, findParts, isSure } from "./parts.ts";
import type { Choice, Found } from "./parts.ts";
import type { SourceOptions } from "./source.ts";

/** What is read of the images of a place, and how they are labelled. */
export type Arranged = Choice & {
  /** Of each image; undefined where it has none. */
  readonly labels: readonly (string | undefined)[];
};

/** Labels by folders, and a sentence about them. */
function fromFolders(
  paths: readonly string[],
  { parts, bare }: Pick<Found, "parts" | "bare">,
  kept: readonly boolean[],
  { labels = "auto" }: SourceOptions,
) {
  const labelled = bare.filter((_, i) => kept[i] && parts[i]?.kind !== "unlabeled");
  const training = bare.filter((_, i) => kept[i] && parts[i]?.kind === "train");
  const deciding = training.length > 0 ? training : labelled;
  const level = labels === "none" ? undefined : labels === "auto" ? classLevel(deciding) : labels;
  if (level === undefined)
    return { labels: paths.map(() => undefined), note: "no labels from folders" };
  const places = labels === "auto" ? bare : paths;
  const found = places.map((path) => classOf(path, level));
  const names = new Set(found.filter((name, i) => kept[i] && name !== undefined));
  return { labels: found, note: `labels from ${names.size} class folders` };
}

/** Labels as files beside the images give them, and how many have none where some do; undefined where they give none. */
function fromFiles({ facts }: Beside, kept: readonly boolean[]) {
  const read = facts.filter((_, i) => kept[i]);
  const without = read.filter(({ label }) => label === undefined).length;
  if (without === read.length) return undefined;
  const some = `labels from files: ${without} of ${counted(read.length, "image")} have no label`;
  const note = without === 0 ? undefined : some;
  return { labels: facts.map(({ label }) => label), note };
}

/** The part that a file beside an image says it is in, else that of its folder. */
function partsOf(parts: Found["parts"], { facts }: Beside): Found["parts"] {
  return parts.map((part, i) => {
    const name = facts[i].split;
    const said = name === undefined ? undefined : partNamed(name);
    return said === undefined ? part : { kind: said.kind, name: name! };
  });
}

/**
 * Decides which images of a place are read and what their labels are, from their paths and from what
 * files beside them say.
 *
 * @param where the place, for messages
 * @param paths of all images, of which a folder may name a part or a class
 * @param around the parts of the archives that the images are in, where their names tell
 */
export function arrange(
  where: string,
  paths: readonly string[],
  beside: Beside,
  options: SourceOptions,
  around: Found = findParts([]),
): Arranged {
  const { split = "auto", labels = "auto" } = options;
  const within = findParts(paths, isSure(options));
  const found = {
    parts: within.parts.map((part, i) => around.parts[i] ?? part),
    bare: within.bare,
    doubted: [...around.doubted, ...within.doubted],
  };
  const parts = partsOf(found.parts, beside);
  const choice = chooseParts(where, { ...found, parts }, split);
  const { kept, about } = choice;
  const named =
    (labels === "auto" ? fromFiles(beside, kept) : undefined) ??
    fromFolders(paths, { ...found, parts }, kept, options);
  const said = named.note === undefined ? [] : [named.note];
  const notes = [...about.notes, ...said, ...(labels === "auto" ? beside.notes : [])];
  return { kept, labels: named.labels, about: { ...about, notes, warned: beside.warned } };
}
