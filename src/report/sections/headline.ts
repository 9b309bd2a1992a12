import { barChart } from "../charts/barChart.ts";
import { counted, grouped, percentage } from "../markup/figures.ts";
import { html, type HtmlPart } from "../markup/html.ts";
import type { Evaluation } from "../reportData.ts";
import { wilsonInterval } from "../wilson.ts";
import { copiesNote } from "./outcome.ts";
import { section, type Section } from "./section.ts";
import { measuredOf, subjects } from "./subjects.ts";

/** k-NN accuracy beside what learned nothing; `undefined` without labels. */
export function headline(evaluation: Evaluation | undefined): Section | undefined {
  const trained = evaluation && measuredOf(evaluation, "trained", "knn");
  if (!trained) return undefined;
  const copied = copiesNote(evaluation);
  const body = html`<div class="headline">
    <p class="hero">
      <b>${grouped(100 * trained.value, 1)}<span>${"\u00a0%"}</span></b> of test images get their
      own label from their neighbours
    </p>
    ${copied !== undefined && html`<p class="warning">${copied}</p>`}
    ${barChart(knnBars(evaluation), percentage, percentTick)}
    <p class="note">${note(evaluation)}</p>
  </div>`;
  return section("knn", "k-NN accuracy", setting(evaluation), body);
}

/** A tick of an axis of shares: two places of the share are whole percentages. */
export const percentTick = (share: number, digits: number): string =>
  percentage(share, Math.max(0, digits - 2));

function knnBars(evaluation: Evaluation) {
  return subjects.flatMap(({ key, name }) => {
    const measured = measuredOf(evaluation, key, "knn");
    if (!measured) return [];
    const computed = key !== "chance" && drawInterval(evaluation, measured.value);
    const interval = measured.interval ?? (computed || undefined);
    return [{ name, value: measured.value, interval, accent: key === "trained" }];
  });
}

/** Where no interval was given, the one that follows from the number of test images. */
function drawInterval(evaluation: Evaluation, accuracy: number): [number, number] | undefined {
  const given = measuredOf(evaluation, "trained", "knn")?.interval;
  if (given || !evaluation.testImages) return undefined;
  return wilsonInterval(accuracy, evaluation.testImages);
}

/** What the number depends on, in parts that stay together at line ends. */
function setting({ knn, testSet, testImages, trainImages }: Evaluation): HtmlPart {
  const parts = [
    testSet,
    testImages !== undefined && counted(testImages, "test image"),
    trainImages !== undefined && `neighbours among ${counted(trainImages, "image")}`,
    knn && `k ${grouped(knn.k)}, temperature ${knn.temperature}`,
  ].filter((part) => part);
  return parts.length > 0 && parts.map((part, i) => html`${i > 0 && " · "}<span>${part}</span>`);
}

function note(evaluation: Evaluation): string | undefined {
  const given = measuredOf(evaluation, "trained", "knn")?.interval;
  if (given)
    return `Whiskers: ${evaluation.intervals ?? "the interval given with the measurement"}.`;
  if (!evaluation.testImages) return undefined;
  return "Whiskers: 95 % intervals for the draw of the test images (Wilson). Another seed varies beyond that.";
}
