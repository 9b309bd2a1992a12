import { writeFileAtomic } from "../../files/index.ts";
import { datasetName } from "../../inference/openImages.ts";
import type { ImageDifference, ImageGroup } from "../../report/index.ts";
import { renderDuplicates } from "../../report/pages/renderGroups.ts";
import type { EmbeddedImage, Group, LinkKind } from "../../store/index.ts";
import { count, counted } from "../format.ts";
import { isDuplicate, type Looks } from "./findDuplicates.ts";
import type { ImageSet } from "./imageSet.ts";
import { picturesOf, pictureSource, type Pictures } from "./pictures.ts";
import { spread } from "./resultPage.ts";

/** What images of a group have in common, in words. */
export const kindWords: Record<LinkKind, string> = {
  identical: "the same pixels",
  near: "copies",
  similar: "look alike, no copies",
  mutual: "among each other's nearest",
};

/** A group as it is told of: rows of its images, the one to keep first, and what was done to the others. */
export type AlikeGroup = {
  readonly kind: LinkKind;
  readonly rows: readonly number[];
  readonly changes: readonly (string | undefined)[]; // of each row; none of the first
};

/** Puts the image to keep of each group first, and says how the others came from it. */
export function describeGroups(groups: readonly Group[], looks: Looks): AlikeGroup[] {
  return groups.map(({ kind, members }) => {
    const rows = [...members].sort(looks.order);
    const changeOf = (row: number) => {
      const known = looks.link(rows[0], row);
      return known?.kind === "near" ? looks.words(rows[0], row) : undefined;
    };
    const told = kind === "near" ? rows.slice(1).map(changeOf) : [];
    return { kind, rows, changes: [undefined, ...told] };
  });
}

const SHOWN = 200; // groups on a page
const MEMBERS = 60; // images of a group on a page
const DIFFERENCES = 4; // of a group
const COMPARED = 100; // groups whose differences are shown

const sizeOf = ({ width, height }: EmbeddedImage): string =>
  width > 0 ? `${width} × ${height}` : "";

/** What the first copies of a group changed. */
async function differences(
  { kind, rows, changes }: AlikeGroup,
  { images }: ImageSet,
  looks: Looks,
): Promise<ImageDifference[]> {
  if (kind !== "near") return [];
  const shown: ImageDifference[] = [];
  for (let i = 1; i < rows.length && shown.length < DIFFERENCES; i++) {
    const found = changes[i] && (await looks.difference(rows[0], rows[i]));
    if (!found) continue;
    const source = await pictureSource(found);
    shown.push({ path: images[rows[i]].id, change: changes[i]!, source });
  }
  return shown;
}

async function shownGroup(
  [i, group]: readonly [number, AlikeGroup],
  {
    page,
    pictures,
    set,
    looks,
  }: { page: string; pictures: Pick<Pictures, "shown">; set: ImageSet; looks: Looks },
): Promise<ImageGroup> {
  const { rows, changes, kind } = group;
  const images = [];
  const places = spread([...rows.keys()], MEMBERS);
  for (const at of places) {
    const image = set.images[rows[at]];
    const note = [sizeOf(image), changes[at] ?? ""].filter((text) => text !== "").join(", ");
    images.push(await pictures.shown(image, page, { note }));
  }
  const some = places.length < rows.length ? `, ${count(places.length)} of them shown` : "";
  const note = `${counted(rows.length, "image")}${some}, ${kindWords[kind]}`;
  const compared = i < COMPARED ? await differences(group, set, looks) : [];
  return { title: `Group ${i + 1}`, note, images, differences: compared };
}

/** What a page of duplicates shows. */
type Shown = {
  readonly groups: readonly AlikeGroup[];
  readonly looks: Looks;
  readonly threshold: number | undefined;
  readonly extra: number; // images that could go
};

/** Writes the page of duplicates. */
export async function writeDedupePage(
  page: string,
  set: ImageSet,
  { groups, looks, threshold, extra }: Shown,
): Promise<void> {
  const pictures = picturesOf(set.facts, set.packed);
  const shown: ImageGroup[] = [];
  for (const group of groups.slice(0, SHOWN).entries()) {
    shown.push(await shownGroup(group, { page, pictures, set, looks }));
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
}
