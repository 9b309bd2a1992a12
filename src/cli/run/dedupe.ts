import { existsSync } from "node:fs";
import { dirname } from "node:path";

import { ConfigError } from "../../core/errors.ts";
import { harmless, quoted } from "../../core/quote.ts";
import { splitNames } from "../../data/index.ts";
import { writeFileAtomic } from "../../files/index.ts";
import { datasetName, writeGroups } from "../../inference/index.ts";
import { type ImageGroup, renderDuplicates } from "../../report/index.ts";
import { type EmbeddedImage, type Group, type LinkKind, tablePath } from "../../store/index.ts";
import { count, counted } from "../format.ts";
import type { Answer, Call } from "../verb.ts";
import { type Asked, findDuplicates, type Found } from "./findDuplicates.ts";
import { areImages, type ImageSet, setOfEmbeddings, setOfImages } from "./imageSet.ts";
import { cacheIn } from "./images.ts";
import { openPictures } from "./pictures.ts";
import { pagePath, spread } from "./resultPage.ts";
import { valueReader, type ValueReader } from "./values.ts";

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

/** Images that are only each other's nearest are no duplicates. */
const isDuplicate = ({ kind }: Group) => kind !== "mutual";

/** Images beyond the first of each group of duplicates. */
const extraOf = (groups: readonly Group[]): number =>
  groups.filter(isDuplicate).reduce((sum, { members }) => sum + members.length - 1, 0);

const SHOWN = 200; // groups on a page
const MEMBERS = 60; // images of a group on a page
const PRINTED = 20;

async function writePage(page: string, set: ImageSet, { groups, threshold }: Found, extra: number) {
  const pictures = await openPictures(set.facts);
  try {
    const shown: ImageGroup[] = [];
    for (const [i, group] of groups.slice(0, SHOWN).entries()) {
      const images = [];
      const members = spread(ordered(group, set.images), MEMBERS);
      for (const image of members) {
        images.push(await pictures.shown(image, page, { note: sizeOf(image) }));
      }
      const size = group.members.length;
      const some = members.length < size ? `, ${count(members.length)} of them shown` : "";
      const note = `${counted(size, "image")}${some}, ${words[group.kind]}`;
      shown.push({ title: `Group ${i + 1}`, note, images });
    }
    const bad = set.skipped.filter(({ ignored }) => ignored === undefined);
    const facts = [
      { name: "images", value: count(set.images.length) },
      { name: "groups", value: count(groups.filter(isDuplicate).length) },
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
    const ids = ordered(group, set.images).map(({ id }) => harmless(id));
    const more = ids.length > 6 ? ` and ${ids.length - 6} more` : "";
    printer.say(`${words[group.kind]}: ${ids.slice(0, 6).join(", ")}${more}`);
  }
  if (groups.length > PRINTED) {
    printer.say(`and ${counted(groups.length - PRINTED, "further group")}; --json lists all`);
  }
  if (groups.length > 0) printer.say();
  const bad = set.skipped.filter(({ ignored }) => ignored === undefined).length;
  const left = bad === 0 ? "" : `; ${counted(bad, "file")} could not be read`;
  const duplicates = groups.filter(isDuplicate).length;
  printer.say(
    `duplicates ${counted(duplicates, "group")} among ${counted(set.images.length, "image")}, ${count(extra)} could go${left}`,
  );
  if (duplicates === groups.length) return;
  printer.say(`nearest    ${counted(groups.length - duplicates, "group")} of each other's nearest`);
}

const LARGE = 50; // images of a group that are many
const SHARE = 0.05; // of all images

/** Says where a group is so large that it is hardly one thing. */
function sayLarge({ groups }: Found, { images }: ImageSet, { printer }: Call): void {
  const large = groups.reduce<Group | undefined>(
    (a, b) => (a === undefined || b.members.length > a.members.length ? b : a),
    undefined,
  );
  const size = large?.members.length ?? 0;
  if (size <= LARGE || size <= SHARE * images.length) return;
  printer.note(
    `note       one group holds ${count(size)} of ${counted(images.length, "image")} (${words[large!.kind]}): look at it before training on these groups`,
  );
}

function askedOf(values: ValueReader, { options }: Call): Asked {
  const threshold = values.number("threshold", { least: -1, most: 1 });
  const mutual = values.number("mutual", { whole: true, least: 1, most: 1000 });
  values.check();
  return { vectors: options.vectors !== false, threshold, mutual };
}

/** Finds duplicates. */
export async function runDedupe(call: Call): Promise<Answer> {
  const { options, printer } = call;
  const values = valueReader("dedupe", options);
  const split = values.oneOf("split", splitNames);
  const asked = askedOf(values, call);
  const target = values.text("writeGroups");
  if (target !== undefined && existsSync(target) && options.overwrite !== true) {
    throw new ConfigError(
      `dedupe: ${JSON.stringify(target)} exists`,
      "choose another file, or --overwrite",
    );
  }
  const name = call.words[0] ?? "embeddings";
  const images = areImages(name);
  if (!images && split !== undefined) {
    throw new ConfigError(
      `dedupe: --split is for images, ${quoted(name)} is a table of embeddings`,
      "give the folder of the images, or embed that part",
    );
  }
  const beside = images ? datasetName(name) : tablePath(name);
  const page = pagePath("dedupe", values, { beside, overwrite: options.overwrite === true });
  const cache = cacheIn(call, dirname(page));
  const set = images ? await setOfImages(name, cache, split, call) : await setOfEmbeddings(name);
  const found = await findDuplicates(set, asked, call);
  const extra = extraOf(found.groups);
  sayGroups(found, set, extra, call);
  sayLarge(found, set, call);
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
