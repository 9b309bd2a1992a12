import { renderDocument } from "../markup/document.ts";
import { counted } from "../markup/figures.ts";
import { html, type Html } from "../markup/html.ts";
import { picture } from "../markup/thumbnail.ts";
import { factList, section } from "../sections/section.ts";
import { skipped } from "../sections/skipped.ts";
import type { Fact } from "../reportData.ts";
import { card, cards } from "./cards.ts";
import type {
  ClustersPage,
  DuplicatesPage,
  ImageDifference,
  ImageGroup,
  OutliersPage,
  SuggestionsPage,
} from "./pageData.ts";

function header(kind: string, set: string, lead: string, facts: readonly Fact[]): Html {
  const rows = facts.map(({ name, value }) => [name, value] as const);
  return html`<header>
    <p class="kind">${kind}</p>
    <h1>${set}</h1>
    <p class="lead">${lead}</p>
    ${rows.length > 0 && factList(rows)}
  </header>`;
}

/** A page of images in groups, by its name in the title and its kind in the header. */
const page = (
  [name, kind]: readonly [name: string, kind: string],
  { set, lead, facts }: { set: string; lead: string; facts: readonly Fact[] },
  sections: readonly (Html | undefined)[],
): string =>
  renderDocument({
    title: `${set} – Contrapose ${name}`,
    header: header(kind, set, lead, facts),
    sections,
    footer: "This page holds all it shows.",
  });

const difference = ({ path, change, source }: ImageDifference): Html =>
  html`<figure class="difference">
    ${picture({ source }, "the one to keep, its copy and their difference")}
    <figcaption><b>${change}</b> <small>${path}</small></figcaption>
  </figure>`;

function group({ title, note, images, differences = [] }: ImageGroup, first: string): Html {
  const all = images.map((image, i) =>
    card(image, `${title}: ${image.path ?? ""}`, i === 0 ? first : ""),
  );
  const columns = Math.min(images.length, 6);
  return html`<section class="group" style="--columns: ${columns}">
    <h3>${title} <small>${note}</small></h3>
    ${cards(all)}
    ${
      differences.length > 0 &&
      html`<details class="differences">
        <summary>What differs</summary>
        ${differences.map(difference)}
      </details>`
    }
  </section>`;
}

/** Groups beside each other, as many as fit a line. */
const together = (groups: readonly ImageGroup[], first: string): Html =>
  html`<div class="groups">${groups.map((one) => group(one, first))}</div>`;

/** The page of duplicates: groups of images of one thing, the one to keep first. */
export function renderDuplicates(data: DuplicatesPage): string {
  const { set, lead, groups, more, facts } = data;
  const rest =
    more > 0 && html`<p class="note">${counted(more, "further group")}, not shown here.</p>`;
  const none = html`<p class="note">No two images are alike.</p>`;
  const { markup } = section(
    "groups",
    "Groups",
    groups.length > 0 &&
      "The first of each group is the one to keep: in colour, the largest, from a lossless file. What differs shows it, its copy laid on it, and grey where both are the same once brightness and contrast are evened, lighter and darker where not, four times as strong.",
    groups.length === 0 ? none : [together(groups, "first"), rest],
  );
  return page(["duplicates", "Duplicates"], { set, lead, facts }, [
    markup,
    skipped(data.skipped)?.markup,
  ]);
}

/** The page of clusters: each with the images nearest to its centre. */
export function renderClusters({ set, lead, clusters, facts }: ClustersPage): string {
  const { markup } = section(
    "clusters",
    "Clusters",
    "Images of each cluster, those nearest to its centre first; the number is that cosine similarity.",
    together(clusters, ""),
  );
  return page(["clusters", "Clusters"], { set, lead, facts }, [markup]);
}

/** The page of outliers: each beside the image that is nearest to it. */
export function renderOutliers({ set, lead, k, outliers, facts }: OutliersPage): string {
  const { markup } = section(
    "outliers",
    "Farthest from the others",
    `Images by their cosine distance to the ${k}. nearest, in medians of all: 1 is usual. Each stands beside its nearest image, with their cosine similarity. Images above the limit are odd; those below it are shown for comparison.`,
    together(outliers, ""),
  );
  return page(["outliers", "Outliers"], { set, lead, facts }, [markup]);
}

/** The page of images to label next, each with the reason. */
export function renderSuggestions({ set, lead, suggestions }: SuggestionsPage): string {
  const { markup } = section(
    "suggestions",
    "To label next",
    "A typical image is the one nearest to the others of its cluster; clusters without a label come first, then the largest. An uncertain one is where the two leading classes of the vote of labelled images are most level.",
    together(suggestions, ""),
  );
  return page(["suggestions", "Labels"], { set, lead, facts: [] }, [markup]);
}
