import { ConfigError } from "../../core/errors.ts";
import { harmless } from "../../core/quote.ts";
import { csvLine, writeFileAtomic } from "../../files/index.ts";
import { datasetName } from "../../inference/index.ts";
import { findOutliers, type Outliers } from "../../metrics/index.ts";
import { type ImageGroup, renderOutliers } from "../../report/index.ts";
import type { Embeddings } from "../../store/index.ts";
import { count, counted, leftColumns } from "../format.ts";
import type { Answer, Call } from "../verb.ts";
import { embeddedSource } from "../common/embeddedSource.ts";
import { progressOf } from "../common/images.ts";
import { openPictures } from "../common/pictures.ts";
import { pagePath, refuseExisting } from "../common/resultPage.ts";
import { valueReader } from "../common/values.ts";

const USUAL = 20; // the k of the k-NN vote
const FEWEST = 3; // images

/** `1.82 × the usual distance`. */
const words = (score: number) => `${score.toFixed(2)} × the usual distance`;

const PAGE = 60; // images on the page
const PRINTED = 20;

async function writePage(
  page: string,
  { images, facts }: Embeddings,
  { k, scores, limit, nearest, similarities, median }: Outliers,
  { order, odd, name }: { order: readonly number[]; odd: number; name: string },
): Promise<void> {
  const pictures = await openPictures(facts);
  try {
    const shown: ImageGroup[] = [];
    for (const row of order.slice(0, PAGE)) {
      const near: Embeddings["images"][number] | undefined = images[nearest[row]]; // of zeros none
      shown.push({
        title: words(scores[row]),
        note: scores[row] > limit ? "odd" : "",
        images: [
          await pictures.shown(images[row], page),
          ...(near === undefined
            ? []
            : [
                await pictures.shown(near, page, {
                  similarity: similarities[row],
                  note: "its nearest",
                }),
              ]),
        ],
      });
    }
    const table = [
      { name: "images", value: count(images.length) },
      { name: "odd, from", value: words(limit) },
      { name: "usual distance", value: median.toFixed(3) },
      { name: "k", value: k },
    ];
    const lead = `${counted(odd, "image")} of ${count(images.length)} ${odd === 1 ? "is" : "are"} odd.`;
    const data = { set: name, lead, k, outliers: shown, facts: table };
    await writeFileAtomic(page, renderOutliers(data));
  } finally {
    pictures.close();
  }
}

/** Every image with its score, the farthest first. */
const listOf = (
  { images }: Embeddings,
  { scores, distances, nearest, similarities }: Outliers,
  order: readonly number[],
) =>
  order.map((row) => ({
    id: images[row].id,
    score: scores[row],
    distance: distances[row],
    nearest:
      nearest[row] < 0 ? null : { id: images[nearest[row]].id, similarity: similarities[row] },
  }));

async function writeList(csv: string, listed: ReturnType<typeof listOf>): Promise<void> {
  const lines = listed.map((one) =>
    csvLine([
      ...[one.id, one.score, one.distance],
      ...[one.nearest?.id ?? "", one.nearest?.similarity ?? ""],
    ]),
  );
  const head = csvLine(["id", "score", "distance", "nearest", "similarity"]);
  await writeFileAtomic(csv, [head, ...lines].join(""));
}

/** Finds the images that are unlike the others. */
export async function runOutliers(call: Call): Promise<Answer> {
  const { options, printer, signal } = call;
  const values = valueReader("outliers", options);
  const asked = values.number("k", { whole: true, least: 1 });
  values.check();
  const overwrite = options.overwrite === true;
  const csv = values.text("csv");
  if (csv !== undefined) refuseExisting("outliers", csv, overwrite, "--csv");
  const { beside, open } = embeddedSource("outliers", call, values);
  const page = pagePath("outliers", values, { beside, overwrite });
  const embeddings = await open();
  const { images, features } = embeddings;
  if (images.length < FEWEST || (asked ?? 0) >= images.length) {
    throw new ConfigError(
      asked === undefined || images.length < FEWEST
        ? `outliers: ${counted(images.length, "image")} cannot show which is odd, expected ${FEWEST} or more`
        : `--k: ${counted(images.length, "image")} have no ${count(asked)} others each`,
    );
  }
  const show = progressOf(call);
  const found = await findOutliers(features, asked ?? Math.min(USUAL, images.length >> 1), {
    signal,
    progress: (done, total) => show("comparing", done, total),
  });
  const { scores, nearest, similarities, limit, median, k } = found;
  const order = [...scores.keys()].sort((a, b) => scores[b] - scores[a] || a - b);
  const odd = order.filter((row) => scores[row] > limit).length;
  const rows = order
    .slice(0, Math.min(PRINTED, odd))
    .map((row) => [
      scores[row].toFixed(2),
      harmless(images[row].id),
      nearest[row] < 0
        ? "its vector is zero"
        : `nearest ${harmless(images[nearest[row]].id)} (${similarities[row].toFixed(3)})`,
    ]);
  if (rows.length > 0) leftColumns(rows).forEach((line) => printer.say(line));
  if (odd > PRINTED) printer.say(`and ${count(odd - PRINTED)} further; --json and --csv list all`);
  if (odd > 0) printer.say();
  const name = datasetName(embeddings.facts.images ?? beside);
  await writePage(page, embeddings, found, { order, odd, name });
  const listed = listOf(embeddings, found, order);
  if (csv !== undefined) await writeList(csv, listed);
  printer.say(
    `odd        ${counted(odd, "image")} of ${count(images.length)}, from ${words(limit)}: to the ${count(k)}. nearest image, median ${median.toFixed(3)}`,
  );
  if (csv !== undefined) printer.say(`table      ${csv}`);
  printer.say(`page       ${page}`);
  return { images: images.length, k, odd, limit, median, outliers: listed, page };
}
