import { existsSync } from "node:fs";
import { dirname } from "node:path";

import { ConfigError } from "../../core/errors.ts";
import { harmless, quoted } from "../../core/quote.ts";
import { findParts, splitNames, strictnesses } from "../../data/index.ts";
import { writeGroups } from "../../inference/groupsFile.ts";
import { datasetName } from "../../inference/openImages.ts";
import { tablePath } from "../../store/embeddings.ts";
import type { LinkKind } from "../../store/index.ts";
import { count, counted } from "../format.ts";
import type { Answer, Call } from "../verb.ts";
import {
  type AlikeGroup,
  describeGroups,
  kindWords,
  writeDedupePage,
} from "../common/dedupePage.ts";
import { type Asked, findDuplicates, isDuplicate, openLooks } from "../common/findDuplicates.ts";
import { areImages, type ImageSet, setOfEmbeddings, setOfImages } from "../common/imageSet.ts";
import { cacheIn } from "../common/images.ts";
import { pagePath } from "../common/resultPage.ts";
import { isAboutDecisions, runApply } from "./applyDecisions.ts";
import { valueReader, type ValueReader } from "../common/values.ts";

/** Images beyond the first of each group of duplicates. */
const extraOf = (groups: readonly AlikeGroup[]): number =>
  groups.filter(isDuplicate).reduce((sum, { rows }) => sum + rows.length - 1, 0);

const PRINTED = 20;

function sayGroup({ kind, rows, changes }: AlikeGroup, { images }: ImageSet, { printer }: Call) {
  const names = rows.slice(0, 6).map((row, i) => {
    const change = changes[i];
    const id = harmless(images[row].id);
    return change === undefined ? id : `${id} (${change})`;
  });
  const more = rows.length > 6 ? ` and ${rows.length - 6} more` : "";
  printer.say(`${kindWords[kind]}: ${names.join(", ")}${more}`);
}

function sayGroups(groups: readonly AlikeGroup[], set: ImageSet, blank: number, call: Call): void {
  const { printer } = call;
  for (const group of groups.slice(0, PRINTED)) sayGroup(group, set, call);
  if (groups.length > PRINTED) {
    printer.say(`and ${counted(groups.length - PRINTED, "further group")}; --json lists all`);
  }
  if (groups.length > 0) printer.say();
  const bad = set.skipped.filter(({ ignored }) => ignored === undefined).length;
  const left = bad === 0 ? "" : `; ${counted(bad, "file")} could not be read`;
  const of = (kind: LinkKind) => groups.filter((group) => group.kind === kind).length;
  const duplicates = groups.filter(isDuplicate).length;
  printer.say(
    `duplicates ${counted(duplicates, "group")} among ${counted(set.images.length, "image")}, ${count(extraOf(groups))} could go${left}`,
  );
  if (of("similar") > 0) {
    printer.say(
      `alike      ${counted(of("similar"), "group")} that look alike: look before you delete`,
    );
  }
  if (of("mutual") > 0) {
    printer.say(`nearest    ${counted(of("mutual"), "group")} of each other's nearest`);
  }
  if (blank > 0) {
    printer.say(`blank      ${counted(blank, "image")} of one colour, copies of none`);
  }
}

type Across = { copies: number; test: number };

/** Held-out images that are copies of training images; undefined where the images are not of both parts. */
function across(groups: readonly AlikeGroup[], { images }: ImageSet): Across | undefined {
  const { parts } = findParts(images.map(({ path }) => path));
  const isTraining = (row: number) => ["train", "unlabeled"].includes(parts[row]?.kind ?? "");
  const isHeldOut = (row: number) => parts[row] !== undefined && !isTraining(row);
  const rows = [...images.keys()];
  if (!rows.some(isTraining) || !rows.some(isHeldOut)) return undefined;
  const leaks = groups.filter((group) => isDuplicate(group) && group.rows.some(isTraining));
  const copies = leaks.reduce((sum, group) => sum + group.rows.filter(isHeldOut).length, 0);
  return { copies, test: rows.filter(isHeldOut).length };
}

function sayAcross({ copies, test }: Across, { printer }: Call): void {
  printer.say(
    `across     ${count(copies)} of ${counted(test, "held-out image")} are copies of training images`,
  );
}

/** Groups as a program reads them. */
const listGroups = (groups: readonly AlikeGroup[], { images }: ImageSet) =>
  groups.map(({ kind, rows, changes }) => ({
    kind,
    images: rows.map((row, i) => {
      const { id, path, width, height } = images[row];
      return { id, path, width, height, change: changes[i] ?? null };
    }),
  }));

const LARGE = 50; // images of a group that are many
const SHARE = 0.05; // of all images

/** Says where a group is so large that it is hardly one thing. */
function sayLarge(groups: readonly AlikeGroup[], { images }: ImageSet, { printer }: Call): void {
  const large = groups.reduce<AlikeGroup | undefined>(
    (a, b) => (a === undefined || b.rows.length > a.rows.length ? b : a),
    undefined,
  );
  const size = large?.rows.length ?? 0;
  if (size <= LARGE || size <= SHARE * images.length) return;
  printer.note(
    `note       one group holds ${count(size)} of ${counted(images.length, "image")} (${kindWords[large!.kind]}): look at it before training on these groups`,
  );
}

function askedOf(values: ValueReader, { options }: Call): Asked {
  const threshold = values.number("threshold", { least: -1, most: 1 });
  const strictness = values.oneOf("strictness", strictnesses) ?? "normal";
  const mutual = values.number("mutual", { whole: true, least: 1, most: 1000 });
  values.check();
  return { strictness, vectors: options.vectors !== false, threshold, mutual };
}

/** Finds duplicates. */
export async function runDedupe(call: Call): Promise<Answer> {
  const { options, printer } = call;
  const values = valueReader("dedupe", options);
  if (isAboutDecisions(call)) return runApply(call, values);
  const split = values.oneOf("split", splitNames);
  const asked = askedOf(values, call);
  const target = values.text("writeGroups");
  if (target !== undefined && existsSync(target) && options.overwrite !== true) {
    throw new ConfigError(
      `dedupe: ${quoted(target)} exists`,
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
  const looks = await openLooks(set, asked, call);
  try {
    const { groups: found, threshold } = await findDuplicates(set, asked, looks, call);
    const groups = describeGroups(found, looks);
    const extra = extraOf(groups);
    sayGroups(groups, set, looks.blank.length, call);
    sayLarge(groups, set, call);
    const crossing = across(groups, set);
    if (crossing !== undefined) sayAcross(crossing, call);
    await writeDedupePage(page, set, { groups, looks, threshold, extra });
    printer.say(`page       ${page}`);
    const listed = listGroups(groups, set);
    if (target !== undefined) {
      const ids = listed.map(({ images: members }) => members.map(({ id }) => id));
      await writeGroups(target, ids, set.facts.images);
      printer.say(`groups     ${target}: contrapose train … --groups ${target}`);
    }
    return {
      images: set.images.length,
      groups: listed,
      extra,
      threshold: threshold ?? null,
      ...(crossing === undefined ? {} : { across: crossing }),
      blank: looks.blank.map((row) => set.images[row].id),
      skipped: set.skipped.filter(({ ignored }) => ignored === undefined),
      page,
      ...(target === undefined ? {} : { written: target }),
    };
  } finally {
    looks.close();
    set.close();
  }
}
