import { counted, grouped, percentage } from "../markup/figures.ts";
import type { Evaluation } from "../reportData.ts";
import { measuredOf } from "./subjects.ts";

/** The outcome in one sentence; undefined without labels. */
export function outcome(evaluation: Evaluation | undefined): string | undefined {
  const trained = evaluation && measuredOf(evaluation, "trained", "knn");
  if (!trained) return undefined;
  const images = evaluation.testImages;
  const asked = images === undefined ? "test images" : counted(images, "test image");
  const right = `${percentage(trained.value)} of ${asked} get their own label from their neighbours`;
  const pixels = measuredOf(evaluation, "pixels", "knn");
  if (!pixels) return `${right}.`;
  const points = `${grouped(100 * Math.abs(trained.value - pixels.value), 1)} points`;
  const against = `${right}, ${percentage(pixels.value)} by raw pixels.`;
  if (trained.value < pixels.value)
    return `This encoder lost to raw pixels by ${points}: ${against}`;
  return `This encoder is ${points} ahead of raw pixels: ${against}`;
}

/** What copies of training images do to the figures; undefined where there are none. */
export function copiesNote(evaluation: Evaluation): string | undefined {
  const { copies, testImages = 0 } = evaluation;
  if (!copies) return undefined;
  const [own, pixels] = (["trained", "pixels"] as const).map(
    (subject) => measuredOf(evaluation, subject, "knn")?.withoutCopies ?? undefined,
  );
  const beside = pixels === undefined ? "" : `, ${percentage(pixels)} by raw pixels`;
  const without = own === undefined ? "" : ` Without them ${percentage(own)}${beside}.`;
  return `Warning: ${grouped(copies)} of ${counted(testImages, "test image")} are copies of training images, which flatters every figure.${without}`;
}
