import { existsSync } from "node:fs";
import { dirname } from "node:path";

import { ConfigError } from "../../core/errors.ts";
import { alikePairs, openLikeness, type Skipped } from "../../data/index.ts";
import { writeFileAtomic } from "../../files/index.ts";
import { datasetName, writeGroups } from "../../inference/index.ts";
import { type Features, unitRows } from "../../metrics/index.ts";
import { type ImageGroup, renderDuplicates } from "../../report/index.ts";
import {
  cosineOf,
  type EmbeddedImage,
  type EmbeddingFacts,
  type Group,
  joinLinks,
  type Link,
  type LinkKind,
  mutualLinks,
  readEmbeddings,
  similarityThreshold,
  similarLinks,
  tablePath,
} from "../../store/index.ts";
import { count, counted } from "../format.ts";
import type { Answer, Call } from "../verb.ts";
import { cacheIn, openWithProgress } from "./images.ts";
import { openPictures } from "./pictures.ts";
import { pagePath } from "./resultPage.ts";
import { valueReader } from "./values.ts";

/** What duplicates are looked for in. */
type ImageSet = {
  name: string;
  images: readonly EmbeddedImage[];
  facts: EmbeddingFacts;
  features: Features | undefined;
  packed: string | undefined; // its folder, where the pixels are
  skipped: readonly Skipped[];
};

function describe(entry: {
  id: string;
  path: string;
  group: number;
  originalWidth: number;
  originalHeight: number;
  content: string;
}): EmbeddedImage {
  const { id, path, group, content, originalWidth: width, originalHeight: height } = entry;
  return { id, path, group, content, width, height };
}

async function fromImages(path: string, cache: string, call: Call): Promise<ImageSet> {
  const opened = await openWithProgress(path, cache, call);
  try {
    const { dataset, classes } = opened;
    const images = Array.from({ length: opened.count }, (_, i): EmbeddedImage => {
      const entry = dataset.entry(i);
      return { ...describe(entry), label: classes?.[entry.label ?? -1] };
    });
    const facts = { images: dataset.header.source.path, packed: opened.path };
    const skipped = dataset.header.skipped;
    return { name: path, images, facts, features: undefined, packed: opened.path, skipped };
  } finally {
    opened.close();
  }
}

async function fromEmbeddings(name: string): Promise<ImageSet> {
  const { images, features, facts } = await readEmbeddings(name);
  const pictures = await openPictures(facts);
  try {
    const { dataset } = pictures;
    const same = dataset !== undefined && dataset.ids.every((id, i) => images.at(i)?.id === id);
    const packed = same && dataset.count === images.length ? dataset.path : undefined;
    const skipped = dataset?.header.skipped ?? [];
    return { name: tablePath(name), images, facts, features, packed, skipped };
  } finally {
    pictures.close();
  }
}

/** Whether a name is that of images, as against embeddings. */
function areImages(name: string): boolean {
  const isTable = /\.(parquet|npy)$/i.test(name) || existsSync(`${name}.parquet`);
  return existsSync(name) && !isTable;
}

async function pixelLinks({ packed, images }: ImageSet): Promise<Link[]> {
  if (packed !== undefined) {
    const pairs = await alikePairs(packed);
    return pairs.map(({ a, b, likeness, identical }) => ({
      ...{ a, b, similarity: likeness, kind: identical ? "identical" : "near" },
    }));
  }
  const first = new Map<string, number>();
  return images.flatMap(({ content }, b): Link[] => {
    const a = first.get(content);
    if (a === undefined) first.set(content, b);
    return a === undefined || content === "" ? [] : [{ a, b, similarity: 1, kind: "identical" }];
  });
}

type Found = { groups: Group[]; threshold: number | undefined };

const LIKENESS = 0.94; // of thumbnails of images that vectors put together

/**
 * Links between images that the encoder takes for alike. A threshold that is given decides alone; else
 * the pictures must look alike too, mirrored or not, where they are there to be looked at.
 */
async function vectorLinks(set: ImageSet, features: Features, given: number | undefined) {
  const threshold = given ?? similarityThreshold(features);
  const links = similarLinks(features, threshold);
  if (given !== undefined || set.packed === undefined) return { links, threshold };
  const looks = await openLikeness(set.packed);
  try {
    const kept = links.filter(({ a, b }) => looks.likeness(a, b) >= LIKENESS);
    return { links: kept, threshold };
  } finally {
    looks.close();
  }
}

async function findGroups(set: ImageSet, call: Call): Promise<Found> {
  const values = valueReader("dedupe", call.options);
  const links = await pixelLinks(set);
  const features = call.options.vectors === false ? undefined : set.features;
  if (features === undefined) {
    return { groups: joinLinks(set.images.length, links, () => true), threshold: undefined };
  }
  const mutual = values.number("mutual");
  const found = await vectorLinks(set, features, values.number("threshold"));
  const { threshold } = found;
  links.push(...found.links);
  if (mutual !== undefined) links.push(...mutualLinks(features, mutual));
  const cosine = cosineOf(unitRows(features));
  const alike = (a: number, b: number, kind: LinkKind) =>
    kind !== "similar" || cosine(a, b) >= threshold - 0.01;
  return { groups: joinLinks(set.images.length, links, alike), threshold };
}

const words: Record<LinkKind, string> = {
  identical: "the same pixels",
  near: "nearly the same picture",
  similar: "alike to the encoder",
  mutual: "among each other's nearest",
};

const pixels = ({ width, height }: EmbeddedImage) => width * height;

/** Members of a group, the largest picture first: the one to keep. */
const ordered = ({ members }: Group, images: readonly EmbeddedImage[]) =>
  members.map((i) => images[i]).sort((a, b) => pixels(b) - pixels(a));

function sizeOf({ width, height }: EmbeddedImage): string {
  return width > 0 ? `${width} × ${height}` : "";
}

const SHOWN = 200; // groups on a page
const MEMBERS = 60; // images of a group on a page
const PRINTED = 20;

async function writePage(page: string, set: ImageSet, { groups, threshold }: Found, extra: number) {
  const pictures = await openPictures(set.facts);
  try {
    const shown: ImageGroup[] = [];
    for (const [i, group] of groups.slice(0, SHOWN).entries()) {
      const images = [];
      for (const image of ordered(group, set.images).slice(0, MEMBERS)) {
        images.push(await pictures.shown(image, page, { note: sizeOf(image) }));
      }
      const note = `${counted(group.members.length, "image")}, ${words[group.kind]}`;
      shown.push({ title: `Group ${i + 1}`, note, images });
    }
    const bad = set.skipped.filter(({ ignored }) => ignored === undefined);
    const facts = [
      { name: "images", value: count(set.images.length) },
      { name: "groups", value: count(groups.length) },
      { name: "could go", value: count(extra) },
      ...(threshold === undefined ? [] : [{ name: "cosine from", value: threshold.toFixed(3) }]),
    ];
    const lead = `${counted(extra, "image")} of ${count(set.images.length)} could go.`;
    const more = Math.max(0, groups.length - SHOWN);
    const name = datasetName(set.facts.images ?? set.name);
    await writeFileAtomic(
      page,
      renderDuplicates({ set: name, lead, groups: shown, more, skipped: bad, facts }),
    );
  } finally {
    pictures.close();
  }
}

function sayGroups({ groups }: Found, set: ImageSet, extra: number, { printer }: Call): void {
  for (const group of groups.slice(0, PRINTED)) {
    const ids = ordered(group, set.images).map(({ id }) => id);
    const more = ids.length > 6 ? ` and ${ids.length - 6} more` : "";
    printer.say(`${words[group.kind]}: ${ids.slice(0, 6).join(", ")}${more}`);
  }
  if (groups.length > PRINTED) {
    printer.say(`and ${counted(groups.length - PRINTED, "further group")}; --json lists all`);
  }
  if (groups.length > 0) printer.say();
  const bad = set.skipped.filter(({ ignored }) => ignored === undefined).length;
  const left = bad === 0 ? "" : `; ${counted(bad, "file")} could not be read`;
  printer.say(
    `duplicates ${counted(groups.length, "group")} among ${counted(set.images.length, "image")}, ${count(extra)} could go${left}`,
  );
}

/** Images beyond the first of each group; those that are only each other's nearest are no duplicates. */
const extraOf = (groups: readonly Group[]): number =>
  groups.reduce((sum, { kind, members }) => sum + (kind === "mutual" ? 0 : members.length - 1), 0);

/** Finds duplicates. */
export async function runDedupe(call: Call): Promise<Answer> {
  const { options, printer } = call;
  const values = valueReader("dedupe", options);
  values.number("threshold", { least: -1, most: 1 });
  values.number("mutual", { whole: true, least: 1, most: 1000 });
  values.check();
  const target = values.text("writeGroups");
  if (target !== undefined && existsSync(target) && options.overwrite !== true) {
    throw new ConfigError(
      `dedupe: ${JSON.stringify(target)} exists`,
      "choose another file, or --overwrite",
    );
  }
  const name = call.words[0] ?? "embeddings";
  const images = areImages(name);
  const beside = images ? datasetName(name) : tablePath(name);
  const page = pagePath("dedupe", values, { beside, overwrite: options.overwrite === true });
  const cache = cacheIn(call, dirname(page));
  const set = images ? await fromImages(name, cache, call) : await fromEmbeddings(name);
  const found = await findGroups(set, call);
  const extra = extraOf(found.groups);
  sayGroups(found, set, extra, call);
  await writePage(page, set, found, extra);
  printer.say(`page       ${page}`);
  const groups = found.groups.map((group) => ({
    kind: group.kind,
    images: ordered(group, set.images).map(({ id, path, width, height }) => ({
      ...{ id, path, width, height },
    })),
  }));
  if (target !== undefined) {
    await writeGroups(
      target,
      groups.map(({ images }) => images.map(({ id }) => id)),
      set.facts.images,
    );
    printer.say(`groups     ${target}: contrapose train … --groups ${target}`);
  }
  const skipped = set.skipped.filter(({ ignored }) => ignored === undefined);
  return {
    ...{ images: set.images.length, groups, extra, threshold: found.threshold ?? null },
    ...{ skipped, page, ...(target === undefined ? {} : { written: target }) },
  };
}
