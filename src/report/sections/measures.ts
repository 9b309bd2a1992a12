import { grouped, percentage } from "../markup/figures.ts";
import { html, type Html, type HtmlPart } from "../markup/html.ts";
import type { Evaluation, Measured, Measures } from "../reportData.ts";
import { section, type Section } from "./section.ts";
import { measuredOf, subjects } from "./subjects.ts";

type Meaning = {
  name: string;
  meaning: string;
  format: (value: number, evaluation: Evaluation) => string;
};

const share = (value: number) => percentage(value);

const meanings: Record<keyof Measures, Meaning> = {
  knn: {
    name: "k-NN accuracy",
    meaning:
      "Share of test images that get their own label by vote of the nearest training images; nothing is fitted to the labels. Higher is better.",
    format: share,
  },
  knnBalanced: {
    name: "Balanced k-NN accuracy",
    meaning:
      "The same vote, as the mean over the classes of the share of each that is right: a large class counts no more than a small one. Higher is better.",
    format: share,
  },
  knnStandardised: {
    name: "k-NN, standardised",
    meaning:
      "The same vote on features scaled to mean 0 and deviation 1 over the training images. Higher is better.",
    format: share,
  },
  linear: {
    name: "Linear probe",
    meaning:
      "Share of test images that a single linear layer, fitted to the labels on frozen features, labels rightly. Higher is better.",
    format: share,
  },
  linearBalanced: {
    name: "Balanced linear probe",
    meaning: "The same probe, as the mean over the classes. Higher is better.",
    format: share,
  },
  alignment: {
    name: "Alignment",
    meaning:
      "Mean squared distance between the features of two views of one image, on the unit sphere: 0 where views agree exactly, 2 where they are unrelated.",
    format: (value) => grouped(value, 3),
  },
  uniformity: {
    name: "Uniformity",
    meaning:
      "How evenly images fill the unit sphere: 0 where all features coincide, near \u22124 where they are spread evenly.",
    format: (value) => grouped(value, 3),
  },
  effectiveRank: {
    name: "Effective rank",
    meaning:
      "How many directions the features spread over: 1 where they have collapsed onto a line, at most their dimension.",
    format: (value, { dimension }) =>
      dimension === undefined ? grouped(value, 1) : `${grouped(value, 1)} of ${grouped(dimension)}`,
  },
};

/** All that was measured of the encoder, each number with what it means and its baselines. */
export function measureTable(evaluation: Evaluation | undefined): Section | undefined {
  if (!evaluation) return undefined;
  const keys = Object.keys(meanings) as (keyof Measures)[];
  const measured = keys.filter((key) => measuredOf(evaluation, "trained", key));
  if (measured.length === 0) return undefined;
  const shown = subjects.filter(({ key }) =>
    measured.some((one) => measuredOf(evaluation, key, one)),
  );
  const body = html`<table class="measures">
    <thead>
      <tr>
        <th scope="col">measure</th>
        ${shown.map(({ name }) => html`<th scope="col">${name}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${measured.map((key) => measureRow(evaluation, key, shown))}
    </tbody>
  </table>`;
  return section("measures", "What was measured", undefined, body);
}

function measureRow(
  evaluation: Evaluation,
  measure: keyof Measures,
  shown: readonly (typeof subjects)[number][],
): Html {
  const { name, meaning, format } = meanings[measure];
  const cells = shown.map((subject) => {
    const measured = measuredOf(evaluation, subject.key, measure);
    const strong = subject.key === "trained" ? "trained" : "baseline";
    return html`<td class="${strong}" data-subject="${subject.name}">
      ${cell(measured, (value) =>
        // Pixels have a dimension of their own.
        format(
          value,
          subject.key === "pixels" ? { ...evaluation, dimension: undefined } : evaluation,
        ),
      )}
    </td>`;
  });
  return html`<tr>
    <th scope="row">
      ${name}
      <p>${meaning}</p>
    </th>
    ${cells}
  </tr>`;
}

function cell(measured: Measured | undefined, format: (value: number) => string): HtmlPart {
  if (!measured) return html`<span class="none" aria-label="not measured">–</span>`;
  const { value, interval } = measured;
  const range = interval && html`<small>${format(interval[0])} to ${format(interval[1])}</small>`;
  return html`${format(value)}${range}`;
}
