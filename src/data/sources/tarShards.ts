import { stat } from "node:fs/promises";
import { basename, relative, sep } from "node:path";

import { counted } from "../../core/counted.ts";
import { ContraposeError } from "../../core/errors.ts";
import { quoted } from "../../core/quote.ts";
import { explained } from "../../files/index.ts";
import { arrange } from "./arrange.ts";
import type { Arranged } from "./arrange.ts";
import { findBeside, readBeside } from "./labelFiles.ts";
import { findParts, isSure, leftOut } from "./parts.ts";
import type { ImageSource, RawEntry, Skipped, SourceOptions } from "./source.ts";
import { factsOf, groupsOf, indexTar } from "./tarIndex.ts";
import type { TarIndex } from "./tarIndex.ts";
import { tarMembers } from "./tarMembers.ts";

/** What is known of an image before its archive is read again. */
type Known = { readonly label: string | undefined; readonly group: string | undefined };

async function* shardEntries(
  { file, shard, last, skipped }: TarIndex,
  known: ReadonlyMap<string, Known>,
  skip: (skipped: Skipped) => void,
): AsyncGenerator<RawEntry> {
  for (const item of skipped) skip({ ...item, path: `${shard}/${item.path}` });
  const { mtimeMs } = await explained("read", shard, () => stat(file));
  for await (const member of tarMembers(file, () => undefined)) {
    const { name, number, size } = member;
    const facts = known.get(name);
    if (facts === undefined || last.get(name) !== number) continue;
    const content = { bytes: await member.bytes() };
    yield {
      id: `${shard}/${name}`,
      path: `${shard}/${name}`,
      stamp: `${size}-${Math.round(mtimeMs)}`,
      size,
      ...(facts.label === undefined ? {} : { label: facts.label }),
      ...(facts.group === undefined ? {} : { group: facts.group }),
      load: () => Promise.resolve(content),
    };
  }
}

/** The images to read of each archive, by name. */
function knownIn(indexes: readonly TarIndex[], { kept, labels }: Arranged): Map<string, Known>[] {
  let at = 0;
  return indexes.map((index) => {
    const groups = groupsOf(index);
    const known = new Map<string, Known>();
    for (const name of index.images) {
      if (kept[at]) known.set(name, { label: labels[at], group: groups.get(name) });
      at++;
    }
    return known;
  });
}

/** A sentence about members of some kind; none where there are none. */
function describeMembers(
  indexes: readonly TarIndex[],
  kind: "repeated" | "broken",
  say: (isOne: boolean) => string,
): string[] {
  const all = indexes.flatMap((index) => index[kind].map((name) => `${index.shard}/${name}`));
  if (all.length === 0) return [];
  return [`${counted(all.length, "member")} ${say(all.length === 1)}, as ${quoted(all[0])}`];
}

const describeOdd = (indexes: readonly TarIndex[]): string[] => [
  ...describeMembers(
    indexes,
    "repeated",
    (isOne) =>
      `${isOne ? "has" : "have"} the name of a later one of the same archive, which is read instead`,
  ),
  ...describeMembers(
    indexes,
    "broken",
    (isOne) => `${isOne ? "holds" : "hold"} no JSON and no label`,
  ),
];

/** What archives and files of labels beside and in them say of the images, and which of these are read. */
async function arrangeAll(
  path: string,
  indexes: readonly TarIndex[],
  labelFiles: readonly string[],
  options: SourceOptions,
): Promise<Arranged> {
  const places = indexes.flatMap(({ shard, images }) => images.map((name) => `${shard}/${name}`));
  const outside = labelFiles.length === 0 ? [] : await findBeside(path, labelFiles);
  const files = [...outside, ...indexes.flatMap(({ labelFiles: inside }) => inside)];
  const read = readBeside(path, places, files);
  const own = indexes.flatMap((index) => index.images.map((name) => factsOf(index, name).label));
  const facts = read.facts.map((fact, i) => {
    const label = own[i];
    return label === undefined ? fact : { ...fact, label };
  });
  const around = findParts(
    indexes.flatMap(({ shard, images }) => images.map(() => `${shard}/0`)),
    isSure(options),
  );
  const inner = indexes.flatMap(({ images }) => images);
  return arrange(path, inner, { ...read, facts }, options, around);
}

/**
 * Images in tar archives, also gzipped. In the manner of WebDataset members whose paths agree up to the
 * first dot are one sample, in any order: its label is in `.cls` or in `label` of `.json`. Else folders in
 * the archives name classes, or a file of labels in or beside them does.
 *
 * @param path of the folder, or of one archive
 * @param labelFiles beside the archives, paths from the folder
 */
export async function tarSource(
  path: string,
  files: readonly string[],
  options: SourceOptions = {},
  labelFiles: readonly string[] = [],
): Promise<ImageSource> {
  const indexes: TarIndex[] = [];
  const shardOf = (file: string) => relative(path, file).replaceAll(sep, "/") || basename(file);
  for (const file of files) indexes.push(await indexTar(file, shardOf(file)));
  const shards = indexes.map(({ shard }) => `${shard}/0`);
  const isLeft = leftOut([], shards, options);
  const arranged = await arrangeAll(path, indexes, labelFiles, options);
  const known = knownIn(indexes, arranged);
  async function* entries(skip: (skipped: Skipped) => void): AsyncGenerator<RawEntry> {
    for (const [i, index] of indexes.entries()) {
      if (known[i].size === 0 && (index.images.length > 0 || isLeft[i])) continue; // of a part that is left out
      try {
        yield* shardEntries(index, known[i], skip);
      } catch (error) {
        if (!(error instanceof ContraposeError)) throw error;
        skip({ path: index.shard, reason: error.message });
      }
    }
  }
  const count = arranged.kept.filter(Boolean).length;
  const notes = [...arranged.about.notes, ...describeOdd(indexes)];
  return { kind: "tar", path, count, ...arranged.about, notes, entries };
}
