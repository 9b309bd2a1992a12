import { basename } from "node:path";

import { ContraposeError } from "../../core/errors.ts";
import { parseJson } from "../../core/json.ts";
import type { BesideFile } from "./labelFiles.ts";
import { decodeLabels } from "./labelText.ts";
import { isLabelFile, joinLabels } from "./labelLines.ts";
import type { Skipped } from "./source.ts";
import { tarMembers } from "./tarMembers.ts";
import type { TarMember } from "./tarMembers.ts";
import { isImageName } from "./walk.ts";

/** What the members beside an image say of it. */
export type MemberFacts = { readonly label?: string; readonly group?: string };

/** What an archive holds, from a first reading: what a member says may stand after the image it is about. */
export type TarIndex = {
  readonly file: string;
  readonly shard: string; // path from the source's folder
  readonly images: readonly string[]; // names, each once
  readonly last: ReadonlyMap<string, number>; // number of the last member of each name
  readonly facts: ReadonlyMap<string, MemberFacts>; // by the name of their member without its ending
  readonly labelFiles: readonly BesideFile[];
  readonly skipped: readonly Skipped[];
  readonly repeated: readonly string[]; // names of members that a later one of the same name replaces
  readonly broken: readonly string[]; // names of members that end in .json and hold none
};

/** What the members of one sample share: the path up to the first dot of the file name. */
export function keyOf(name: string): string {
  const start = name.lastIndexOf("/") + 1;
  const dot = name.indexOf(".", start + 1);
  return dot === -1 ? name : name.slice(0, dot);
}

/** A name up to its last dot. */
const stemOf = (name: string) => name.replace(/\.[^./]*$/, "");

const SMALL = 2 ** 20; // bytes of a member that speaks of one image
const LABELS = 2 ** 26; // bytes of a member that speaks of many

/** What a member says of its image; undefined where it ends in .json and holds none. */
function factsIn(name: string, text: string): MemberFacts | undefined {
  if (/\.cls$/i.test(name)) {
    const label = joinLabels([text]);
    return label === undefined ? {} : { label };
  }
  let value: unknown;
  try {
    value = parseJson(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return {};
  const record = new Map<string, unknown>(Object.entries(value));
  const given = ["label", "cls", "class"].map((key) => record.get(key));
  const label = given
    .map((one) => joinLabels(Array.isArray(one) ? one : [one]))
    .find((one) => one !== undefined);
  const group = joinLabels([record.get("group")]);
  return { ...(label === undefined ? {} : { label }), ...(group === undefined ? {} : { group }) };
}

type Building = {
  images: string[];
  last: Map<string, number>;
  facts: Map<string, MemberFacts>;
  labelFiles: BesideFile[];
  skipped: Skipped[];
  repeated: string[];
  broken: string[];
};

async function textOf(member: TarMember, most: number, { skipped }: Building) {
  if (member.size <= most) return decodeLabels(await member.bytes());
  const reason = `too large (${member.size} bytes) to be read for labels`;
  skipped.push({ path: member.name, reason });
  return undefined;
}

async function note(member: TarMember, shard: string, building: Building): Promise<void> {
  const { name, number } = member;
  const { images, last, facts, labelFiles, skipped } = building;
  const repeated = last.has(name);
  last.set(name, number);
  if (repeated) {
    const reason = "several members of the archive have this name: the last one is read";
    skipped.push({ path: name, reason, ignored: true });
    building.repeated.push(name);
  }
  if (isImageName(name)) {
    if (!repeated) images.push(name);
  } else if (/\.(cls|json)$/i.test(name)) {
    const decoded = await textOf(member, SMALL, building);
    if (decoded === undefined) return;
    const found = factsIn(name, decoded.text);
    if (found === undefined) {
      skipped.push({ path: name, reason: "it is no JSON: its label is left out", ignored: true });
      building.broken.push(name);
      return;
    }
    const before = facts.get(stemOf(name)) ?? {};
    const first = /\.cls$/i.test(name); // a class by itself goes before one among other things
    facts.set(stemOf(name), first ? { ...before, ...found } : { ...found, ...before });
  } else if (isLabelFile(basename(name))) {
    const decoded = await textOf(member, LABELS, building);
    const at = `${shard}/${name.slice(0, name.lastIndexOf("/") + 1)}`;
    if (decoded !== undefined) labelFiles.push({ path: `${shard}/${name}`, at, ...decoded });
  }
}

/** Reads an archive for the names and labels in it, up to where it is damaged; `shard` is what it is called. */
export async function indexTar(file: string, shard: string): Promise<TarIndex> {
  const building: Building = {
    images: [],
    last: new Map(),
    facts: new Map(),
    labelFiles: [],
    skipped: [],
    repeated: [],
    broken: [],
  };
  try {
    const members = tarMembers(file, (item) => building.skipped.push(item));
    for await (const member of members) await note(member, shard, building);
  } catch (error) {
    if (!(error instanceof ContraposeError)) throw error; // the damage is told by the second reading
  }
  return { file, shard, ...building };
}

/** Whether the part of a name after its key is made of words, as `left.jpg`, not of dates or numbers. */
const isField = (name: string) =>
  name
    .slice(keyOf(name).length + 1)
    .split(".")
    .every((word) => /^\p{L}/u.test(word));

const endingOf = (name: string) => name.slice(name.lastIndexOf(".") + 1).toLowerCase();

/**
 * The group of each image of an archive, by its name: what its facts say, else its sample, where several
 * images of one key are pictures of one thing. They are where a member speaks of them all or where their
 * endings differ (`a.jpg`, `a.mask.png`); images that share a key and an ending are separate
 * (`cam1_2024.05.01_0000.jpg`).
 */
export function groupsOf({ shard, images, facts }: TarIndex): Map<string, string> {
  const samples = new Map<string, string[]>();
  for (const name of images) {
    const list = samples.get(keyOf(name));
    if (list === undefined) samples.set(keyOf(name), [name]);
    else list.push(name);
  }
  const groups = new Map<string, string>();
  for (const [key, names] of samples) {
    const several = names.length > 1 && names.every(isField);
    const one = several && (facts.has(key) || new Set(names.map(endingOf)).size > 1);
    for (const name of names) {
      const group = factsOf({ facts }, name).group ?? (one ? `${shard}/${key}` : undefined);
      if (group !== undefined) groups.set(name, group);
    }
  }
  return groups;
}

/** What an archive says of an image: the member of its whole name, and the one of its key. */
export const factsOf = ({ facts }: Pick<TarIndex, "facts">, name: string): MemberFacts => ({
  ...facts.get(keyOf(name)),
  ...facts.get(stemOf(name)),
});
