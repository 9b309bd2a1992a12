import { ConfigError } from "../../core/errors.ts";
import { harmless, quoted } from "../../core/quote.ts";
import { type PartKind, partNamed } from "./partNames.ts";
import type { ImageSource, SourceOptions, SplitChoice } from "./source.ts";

/** The part of a dataset that an image lies in. */
export type Part = {
  readonly kind: PartKind;
  readonly name: string; // of the folder or file that says so
};

/** Whether names that may be parts are, since one of them was asked for. */
export const isSure = ({ split = "auto" }: SourceOptions): boolean =>
  !["auto", "all", "heldOut"].includes(split);

/** Where images lie, part by part. */
export type Found = {
  readonly parts: readonly (Part | undefined)[]; // of each path; undefined outside all parts
  /** The paths without the folders that name parts: what is left may name classes. */
  readonly bare: readonly string[];
  /** Names that may be parts and are taken for classes. */
  readonly doubted: readonly string[];
};

type Named = Part & { readonly rest: string };

const isTraining = ({ kind }: Part) => kind === "train" || kind === "unlabeled";
const isHeldOut = (part: Part) => !isTraining(part);

/**
 * Names that speak of a part alone, or with words that a training and a held-out part share: seg_train, seg_test; all
 * of them, where every name of a level speaks of one: public_train, private_test.
 */
function clearOf(names: readonly string[]): Named[] {
  const found = names.flatMap((name): Named[] => {
    const part = partNamed(name);
    return part === undefined ? [] : [{ ...part, name }];
  });
  const has = (which: (part: Part) => boolean) =>
    new Set(found.filter(which).map(({ rest }) => rest));
  const [training, held] = [has(isTraining), has(isHeldOut)];
  const all = found.length === names.length && found.some(isTraining) && found.some(isHeldOut);
  return found.filter(({ rest }) => all || rest === "" || (training.has(rest) && held.has(rest)));
}

/**
 * Which of the names of a level are parts: all, where every name speaks of one; those that do, where they
 * are a training and a held-out part and half of the names; else those that hold the same folders as the
 * level, as each other, or as the only other folder beside them, which are then the classes.
 */
function partsAmong(
  names: readonly string[],
  below: (name: string) => ReadonlySet<string>,
  sure: boolean,
): { parts: Named[]; doubted: string[] } {
  const clear = clearOf(names);
  const both = clear.some(isTraining) && clear.some(isHeldOut);
  const half = both && 2 * clear.length >= names.length;
  if (sure || half || clear.length === names.length) return { parts: clear, doubted: [] };
  const classes = new Set(names.filter((name) => !clear.some((part) => part.name === name)));
  const parts = clear.filter(({ name, kind, rest }) => {
    if (kind === "unlabeled" && rest === "") return true; // no class is called that
    const others = clear.filter((other) => other.kind !== kind).map((other) => below(other.name));
    const twins = classes.size === 1 ? below([...classes][0]) : new Set<string>();
    const isTwin = twins.size > 1 && [...twins].join("/") === [...below(name)].join("/");
    return (
      isTwin || [...below(name)].some((child) => [classes, ...others].some((set) => set.has(child)))
    );
  });
  const doubted = clear.filter((part) => isHeldOut(part) && !parts.includes(part));
  return { parts, doubted: doubted.map(({ name }) => name) };
}

/** Parts that the names of the files themselves tell, where every one does: train_1.png, test_1.png. */
function fromFileNames(paths: readonly string[]): Found["parts"] | undefined {
  const names = paths.map((path) => path.slice(path.lastIndexOf("/") + 1));
  const parts: Named[] = [];
  for (const name of names) {
    const part = partNamed(name);
    if (part === undefined) return undefined;
    parts.push({ ...part, name: part.kind });
  }
  const same = parts.every(({ rest }) => rest === parts[0].rest);
  return same && parts.some(isTraining) && parts.some(isHeldOut) ? parts : undefined;
}

/**
 * Finds the parts of a dataset in the paths of its images, by the names of folders at any level.
 *
 * @param sure whether a name that may be a part is one, as where a part was asked for
 */
export function findParts(paths: readonly string[], sure = false): Found {
  const folders = paths.map((path) => path.split("/").slice(0, -1));
  const depth = folders.reduce((deepest, names) => Math.max(deepest, names.length), 0);
  const levels: Map<string, Part>[] = [];
  const doubted: string[] = [];
  for (let level = 0; level < depth; level++) {
    const names = [...new Set(folders.flatMap((path) => path.slice(level, level + 1)))];
    const below = (name: string) =>
      new Set(
        folders.flatMap((path) => (path[level] === name ? path.slice(level + 1, level + 2) : [])),
      );
    const found = partsAmong(names, below, sure);
    levels.push(new Map(found.parts.map((part) => [part.name, part])));
    doubted.push(...found.doubted);
  }
  const isNone = levels.every(({ size }) => size === 0);
  const named = isNone && paths.length > 0 ? fromFileNames(paths) : undefined;
  const parts = folders.map((path) => {
    const level = path.findIndex((name, at) => levels[at].has(name));
    return level === -1 ? undefined : levels[level].get(path[level]);
  });
  const bare = folders.map((path, i) => {
    const kept = path.filter((name, level) => !levels[level].has(name));
    return [...kept, paths[i].slice(paths[i].lastIndexOf("/") + 1)].join("/");
  });
  return { parts: named ?? parts, bare, doubted };
}

/** Whether a part is read; undefined stands for what lies outside all parts. */
type Wanted = (part: Part | undefined) => boolean;

function wantedBy(split: SplitChoice, parts: Found["parts"]): Wanted {
  const has = (...kinds: PartKind[]) => parts.some((part) => part && kinds.includes(part.kind));
  const outside = parts.filter((part) => part === undefined).length;
  const only =
    (...kinds: PartKind[]): Wanted =>
    (part) =>
      part !== undefined && kinds.includes(part.kind);
  if (split === "heldOut")
    return has("test") ? only("test") : has("val") ? only("val") : () => true;
  if (split === "all") return () => true;
  if (split === "train" && !has("train")) return (part) => part === undefined;
  if (split !== "auto") return only(split);
  if (!has("train", "unlabeled")) return outside > 0 ? (part) => part === undefined : () => true;
  // most images are in no part: parts are a detail then; what lies beside images without labels has labels
  const loose = 2 * outside > parts.length || !has("train");
  return (part) => (part === undefined ? loose : isTraining(part));
}

/** Which of `others`, paths beside those of images, lie in a part that is not read. */
export function leftOut(
  images: readonly string[],
  others: readonly string[],
  options: SourceOptions,
): boolean[] {
  const { parts } = findParts([...images, ...others], isSure(options));
  const wanted = wantedBy(options.split ?? "auto", parts);
  return parts.slice(images.length).map((part) => part !== undefined && !wanted(part));
}

const OUTSIDE = "no part";

/** `12 images of test`, part by part in order of their names. */
function countParts(parts: Found["parts"], things: string): { name: string; text: string }[] {
  const counts = new Map<string, number>();
  for (const part of parts) {
    const name = part?.name ?? OUTSIDE;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, count]) => ({
      name: harmless(name),
      text: `${count} ${count === 1 ? things.slice(0, -1) : things} of ${harmless(name)}`,
    }));
}

/** `a, b, c and 4 more` */
function listed(names: readonly string[], most = 5): string {
  const more = names.length - most;
  return more > 0 ? `${names.slice(0, most).join(", ")} and ${more} more` : names.join(", ");
}

/** Which images are read, and what the source says of that. */
export type Choice = {
  readonly kept: readonly boolean[];
  readonly about: Pick<ImageSource, "part" | "notes" | "warned">;
};

/**
 * Chooses the part that is read of images in parts: without a choice the training part and what has no
 * labels, never what is held out. Throws `ConfigError` where the part asked for is not there.
 *
 * @param things what is counted in the notes
 */
export function chooseParts(
  path: string,
  { parts, doubted }: Pick<Found, "parts" | "doubted">,
  split: SplitChoice = "auto",
  things = "images",
): Choice {
  const wanted = wantedBy(split, parts);
  const kept = parts.map(wanted);
  const taken = countParts(parts.filter(wanted), things);
  const left = countParts(
    parts.filter((part) => !wanted(part)),
    things,
  );
  if (taken.length === 0 && parts.length > 0) {
    const there = parts.every((part) => part === undefined)
      ? "its folders and files name no parts"
      : `there are ${listed(left.map(({ text }) => text))}`;
    throw new ConfigError(
      `split: ${quoted(path)} has no part ${split}, ${there}`,
      "leave --split out, or name another part",
    );
  }
  const doubts = doubted.map(
    (name) => `${quoted(name)} is taken for a class like the folders beside it, not for a part`,
  );
  if (left.length === 0) return { kept, about: { notes: doubts } };
  const part = listed(taken.map(({ name }) => name));
  const out = `read ${part}; left out: ${listed(left.map(({ text }) => text))}`;
  const hint = split === "auto" ? "; --split says otherwise" : "";
  return { kept, about: { part, notes: [`${out}${hint}`, ...doubts] } };
}
