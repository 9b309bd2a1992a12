import { counted, grouped, percentage } from "../markup/figures.ts";
import type { Evaluation, Measured } from "../reportData.ts";
import { measuredOf } from "./subjects.ts";

/** The outcome in one sentence, of the test images that are no copies where some are; undefined without labels. */
export function outcome(evaluation: Evaluation | undefined): string | undefined {
  const trained = evaluation && measuredOf(evaluation, "trained", "knn");
  if (!trained) return undefined;
  const pixels = measuredOf(evaluation, "pixels", "knn");
  const hasOwn = typeof trained.withoutCopies === "number";
  const shareOf = ({ value, withoutCopies }: Measured) =>
    hasOwn ? (withoutCopies ?? value) : value;
  const images = evaluation.testImages;
  const count = images === undefined ? undefined : images - (hasOwn ? (evaluation.copies ?? 0) : 0);
  const asked = count === undefined ? "test images" : counted(count, "test image");
  const own = hasOwn ? " that are no copies of training images" : "";
  const [share, other] = [shareOf(trained), pixels && shareOf(pixels)];
  const right = `${percentage(share)} of ${asked}${own} get their own label from their neighbours`;
  if (other === undefined) return `${right}.`;
  const points = `${grouped(100 * Math.abs(share - other), 1)} points`;
  const against = `${right}, ${percentage(other)} by raw pixels.`;
  if (share < other) return `This encoder lost to raw pixels by ${points}: ${against}`;
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
