import { barChart } from "../charts/barChart.ts";
import { counted, grouped, percentage } from "../markup/figures.ts";
import { html } from "../markup/html.ts";
import type { Evaluation } from "../reportData.ts";
import { wilsonInterval } from "../wilson.ts";
import { section, type Section } from "./section.ts";
import { measuredOf, subjects } from "./subjects.ts";

/** k-NN accuracy beside what learned nothing; `undefined` without labels. */
export function headline(evaluation: Evaluation | undefined): Section | undefined {
  const trained = evaluation && measuredOf(evaluation, "trained", "knn");
  if (!trained) return undefined;
  const body = html`<div class="headline">
    <p class="hero">
      <b>${grouped(100 * trained.value, 1)}<span> %</span></b> of test images get their own label
      from their neighbours
    </p>
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
    const images = key === "chance" ? undefined : evaluation.testImages;
    const fallback = images && images > 0 ? wilsonInterval(measured.value, images) : undefined;
    const interval = measured.interval ?? fallback;
    return [{ name, value: measured.value, interval, accent: key === "trained" }];
  });
}

function setting({ knn, testSet, testImages, trainImages }: Evaluation): string | undefined {
  const images = testImages !== undefined && counted(testImages, "test image");
  const parts = [
    testSet,
    images,
    trainImages !== undefined && `neighbours among ${counted(trainImages, "image")}`,
    knn && `k ${grouped(knn.k)}`,
    knn && `temperature ${knn.temperature}`,
  ];
  return parts.filter((part) => part).join(" · ") || undefined;
}

function note(evaluation: Evaluation): string | undefined {
  const given = measuredOf(evaluation, "trained", "knn")?.interval;
  if (given)
    return `Whiskers: ${evaluation.intervals ?? "the interval given with the measurement"}.`;
  if (!evaluation.testImages) return undefined;
  return "Whiskers: 95 % intervals for the draw of the test images (Wilson). Another seed varies beyond that.";
}
