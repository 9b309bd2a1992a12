import { ConfigError } from "../../core/errors.ts";
import { harmless } from "../../core/quote.ts";
import { readGivenLabels } from "../../data/index.ts";
import { csvLine, writeFileAtomic } from "../../files/index.ts";
import { datasetName } from "../../inference/index.ts";
import { type SuggestedRow, suggestRows } from "../../metrics/index.ts";
import { type ImageGroup, renderSuggestions } from "../../report/index.ts";
import type { Embeddings } from "../../store/index.ts";
import { count, counted, leftColumns } from "../format.ts";
import type { Answer, Call } from "../verb.ts";
import { embeddedSource } from "../common/embeddedSource.ts";
import { openPictures } from "../common/pictures.ts";
import { pagePath, refuseExisting } from "../common/resultPage.ts";
import { valueReader } from "../common/values.ts";

const USUAL = 20; // images

/** Labels of the images as numbers of classes, −1 where there is none. */
async function labelsOf({ images, facts }: Embeddings, file: string | undefined, call: Call) {
  const ids = images.map(({ id }) => id);
  const given =
    file === undefined ? undefined : await readGivenLabels(file, facts.images ?? "", ids);
  for (const text of given?.notes ?? []) call.printer.note(`note       ${text}`);
  const names = given?.labels ?? images.map(({ label }) => label);
  const classes = [...new Set(names.filter((name) => name !== undefined))].sort();
  const numbers = new Map(classes.map((name, i) => [name, i]));
  const labels = Int32Array.from(names, (name) => numbers.get(name ?? "") ?? -1);
  return { labels, classes };
}

/** `typical of 34 images`, `uncertain: shoe by 3 % of the vote`. */
function reason({ why, score, clusterSize, guess }: SuggestedRow, classes: readonly string[]) {
  if (why === "typical") return `typical of ${counted(clusterSize!, "image")}`;
  return `uncertain: ${harmless(classes[guess!])} leads by ${(100 * score).toFixed(0)} % of the vote`;
}

type Found = { rows: readonly SuggestedRow[]; classes: readonly string[]; lead: string };

async function writePage(
  page: string,
  { images, facts }: Embeddings,
  { rows, classes, lead }: Found,
  set: string,
): Promise<void> {
  const pictures = await openPictures(facts);
  try {
    const groups: ImageGroup[] = [];
    for (const found of rows) {
      const shown = await pictures.shown(images[found.row], page);
      groups.push({ title: reason(found, classes), note: "", images: [shown] });
    }
    await writeFileAtomic(page, renderSuggestions({ set, lead, suggestions: groups }));
  } finally {
    pictures.close();
  }
}

/** Every suggestion, as it is listed. */
const listOf = ({ images }: Embeddings, { rows, classes }: Found) =>
  rows.map(({ row, why, score, clusterSize, guess }) => ({
    path: images[row].id,
    why,
    score,
    cluster: clusterSize ?? null,
    guess: guess === undefined ? null : classes[guess],
  }));

async function writeList(csv: string, listed: ReturnType<typeof listOf>): Promise<void> {
  const head = csvLine(["path", "label", "why", "score", "cluster", "guess"]);
  const lines = listed.map(({ path, why, score, cluster, guess }) =>
    csvLine([path, "", why, score, cluster ?? "", guess ?? ""]),
  );
  await writeFileAtomic(csv, [head, ...lines].join(""));
}

/** How many images are named, and how many of these as uncertain ones. Throws `ConfigError` where there are too few. */
function numbersOf(
  asked: number | undefined,
  unsure: number | undefined,
  { left, all, classes }: { left: number; all: number; classes: number },
): { count: number; uncertain: number } {
  const wanted = asked ?? Math.min(USUAL, left);
  if (left === 0 || wanted > left) {
    throw new ConfigError(
      `suggest-labels: ${counted(left, "image")} of ${count(all)} ${left === 1 ? "has" : "have"} no label, expected ${count(Math.max(1, wanted))} or more`,
      "--labels FILE says which images are labelled, whatever folders they lie in",
    );
  }
  if (unsure !== undefined && unsure > 0 && classes < 2) {
    throw new ConfigError(`--uncertain: a vote takes labels of two classes, there are ${classes}`);
  }
  if (unsure !== undefined && unsure > wanted) {
    throw new ConfigError(`--uncertain is ${unsure}, expected at most the ${wanted} of --count`);
  }
  return { count: wanted, uncertain: unsure ?? (classes < 2 ? 0 : wanted >> 1) };
}

/** Names images whose labels would tell most. */
export async function runSuggestLabels(call: Call): Promise<Answer> {
  const { options, printer, signal } = call;
  const verb = "suggest-labels";
  const values = valueReader(verb, options);
  const asked = values.number("count", { whole: true, least: 1 });
  const unsure = values.number("uncertain", { whole: true, least: 0 });
  const seed = values.number("seed", { whole: true, least: 0, most: 4294967295 }) ?? 0;
  values.check();
  const overwrite = options.overwrite === true;
  const csv = values.text("csv");
  if (csv !== undefined) refuseExisting(verb, csv, overwrite, "--csv");
  const { beside, open } = embeddedSource(verb, call, values);
  const page = pagePath(verb, values, { beside, overwrite });
  const embeddings = await open();
  const { labels, classes } = await labelsOf(embeddings, values.text("labels"), call);
  const left = labels.reduce((sum, label) => sum + (label < 0 ? 1 : 0), 0);
  const numbers = numbersOf(asked, unsure, { left, all: labels.length, classes: classes.length });
  const rows = await suggestRows(embeddings.features, labels, { ...numbers, seed, signal });
  const known = labels.length - left;
  const lead = `${counted(rows.length, "image")} to label next, of ${count(left)} without a label; ${count(known)} ${known === 1 ? "has" : "have"} one.`;
  const found = { rows, classes, lead };
  const listed = listOf(embeddings, found);
  const table = rows.map((one) => [harmless(embeddings.images[one.row].id), reason(one, classes)]);
  for (const line of leftColumns(table)) printer.say(line);
  await writePage(page, embeddings, found, datasetName(embeddings.facts.images ?? beside));
  if (csv !== undefined) await writeList(csv, listed);
  printer.say();
  printer.say(`suggested  ${lead}`);
  if (csv !== undefined)
    printer.say(`table      ${csv}: fill in label, then train --labels ${csv}`);
  printer.say(`page       ${page}`);
  return { images: labels.length, labelled: known, suggestions: listed, page };
}
