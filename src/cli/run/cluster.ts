import { ConfigError } from "../../core/errors.ts";
import { harmless } from "../../core/quote.ts";
import { csvLine, writeFileAtomic } from "../../files/index.ts";
import { datasetName } from "../../inference/index.ts";
import { type Clusters, kMeans } from "../../metrics/index.ts";
import { type ImageGroup, renderClusters } from "../../report/index.ts";
import { type Embeddings, readEmbeddings, tablePath } from "../../store/index.ts";
import { count, counted, percent } from "../format.ts";
import type { Answer, Call } from "../verb.ts";
import { openPictures } from "../common/pictures.ts";
import { pagePath, refuseExisting } from "../common/resultPage.ts";
import { embeddingsOf } from "./search.ts";
import { valueReader } from "../common/values.ts";
import { sayZeros } from "../common/zeroVectors.ts";

/** As many groups as there are classes; without labels about the root of half the images. */
function usualK({ images }: Embeddings): number {
  const classes = new Set(images.flatMap(({ label }) => label ?? []));
  if (classes.size > 1) return Math.min(classes.size, images.length);
  return Math.max(1, Math.min(50, Math.round(Math.sqrt(images.length / 2))));
}

type Cluster = {
  size: number;
  label: string | undefined; // the commonest
  share: number; // of the images with a label
  members: number[]; // nearest to the centre first
};

function clustersOf({ images }: Embeddings, { k, assigned, similarities }: Clusters): Cluster[] {
  const members = Array.from({ length: k }, (): number[] => []);
  assigned.forEach((cluster, i) => members[cluster].push(i));
  return members.map((list) => {
    list.sort((a, b) => similarities[b] - similarities[a]);
    const labels = list.flatMap((i) => images[i].label ?? []);
    const counts = new Map<string, number>();
    for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
    const [label, most] = [...counts].sort((a, b) => b[1] - a[1])[0] ?? [undefined, 0];
    const share = labels.length === 0 ? 0 : most / labels.length;
    return { size: list.length, label, share, members: list };
  });
}

/** Share of the labelled images that have the commonest label of their cluster; undefined without labels. */
function purityOf({ images }: Embeddings, clusters: readonly Cluster[]): number | undefined {
  const labelled = images.filter(({ label }) => label !== undefined).length;
  if (labelled === 0) return undefined;
  const right = clusters.map(({ members, label }) =>
    label === undefined ? 0 : members.filter((i) => images[i].label === label).length,
  );
  return right.reduce((sum, one) => sum + one, 0) / labelled;
}

const SHOWN = 16; // images of a cluster on a page

/** What a cluster is called, on one line: `Cluster 3, 67 % cat`. */
export const titleOf = ({ label, share }: Pick<Cluster, "label" | "share">, i: number): string =>
  label === undefined
    ? `Cluster ${i + 1}`
    : `Cluster ${i + 1}, ${percent(share, 0)} ${harmless(label)}`;

async function writePage(
  page: string,
  { images, facts }: Embeddings,
  { similarities }: Clusters,
  { clusters, name, purity }: { clusters: Cluster[]; name: string; purity: number | undefined },
): Promise<void> {
  const pictures = await openPictures(facts);
  try {
    const shown: ImageGroup[] = [];
    for (const [i, cluster] of clusters.entries()) {
      const some = [];
      for (const member of cluster.members.slice(0, SHOWN)) {
        const similarity = similarities[member];
        some.push(await pictures.shown(images[member], page, { similarity }));
      }
      const rest = cluster.size > SHOWN ? `, ${SHOWN} shown` : "";
      const note = `${counted(cluster.size, "image")}${rest}`;
      shown.push({ title: titleOf(cluster, i), note, images: some });
    }
    const table = [
      { name: "images", value: count(images.length) },
      { name: "clusters", value: clusters.length },
      ...(purity === undefined
        ? []
        : [{ name: "of their cluster's commonest label", value: percent(purity) }]),
    ];
    const lead = `${counted(images.length, "image")} in ${counted(clusters.length, "group")}, by what the encoder takes for alike.`;
    await writeFileAtomic(page, renderClusters({ set: name, lead, clusters: shown, facts: table }));
  } finally {
    pictures.close();
  }
}

/** Groups images by their vectors. */
export async function runCluster(call: Call): Promise<Answer> {
  const { options, printer, signal } = call;
  const values = valueReader("cluster", options);
  const asked = values.number("k", { whole: true, least: 1 });
  const seed = values.number("seed", { whole: true, least: 0 }) ?? 0;
  values.check();
  const csv = values.text("csv");
  if (csv !== undefined) refuseExisting("cluster", csv, options.overwrite === true, "--csv");
  const beside = tablePath(embeddingsOf(call));
  const page = pagePath("cluster", values, { beside, overwrite: options.overwrite === true });
  const embeddings = await readEmbeddings(beside);
  const { images, features } = embeddings;
  sayZeros(features, call);
  if (asked !== undefined && asked > features.count) {
    throw new ConfigError(
      `--k: ${asked} groups cannot be made of ${counted(features.count, "image")}`,
    );
  }
  const { dim } = printer.colours;
  const found = await kMeans(features, asked ?? usualK(embeddings), {
    seed,
    signal,
    progress: (start, round) => printer.redraw(dim(`clustering: start ${start}, round ${round}`)),
  });
  const clusters = clustersOf(embeddings, found);
  const purity = purityOf(embeddings, clusters);
  clusters.forEach((cluster, i) => {
    const some = cluster.members.slice(0, 3).map((member) => harmless(images[member].id));
    const shown = `${counted(cluster.size, "image")}, as ${some.join(", ")}`;
    printer.say(`${titleOf(cluster, i)}: ${shown}`);
  });
  const name = datasetName(embeddings.facts.images ?? beside);
  await writePage(page, embeddings, found, { clusters, name, purity });
  const rows = images.map(({ id }, i) => [id, found.assigned[i], found.similarities[i]]);
  if (csv !== undefined) {
    const lines = [["id", "cluster", "similarity"], ...rows].map(csvLine);
    await writeFileAtomic(csv, lines.join(""));
  }
  printer.say();
  const pure =
    purity === undefined ? "" : `, ${percent(purity)} of their cluster's commonest label`;
  printer.say(`clustered  ${counted(images.length, "image")} into ${found.k}${pure}`);
  if (csv !== undefined) printer.say(`table      ${csv}`);
  printer.say(`page       ${page}`);
  return {
    images: images.length,
    k: found.k,
    purity: purity ?? null,
    page,
    clusters: clusters.map(({ size, label, share, members }) => ({
      size,
      label: label ?? null,
      share,
      images: members.map((member) => images[member].id),
    })),
  };
}
