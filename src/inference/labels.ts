import type { Images } from "./openImages.ts";

/** Labels of one set in the classes of another, by name; -1 where the class is not there. */
export function labelsIn(images: Images, classes: readonly string[]): Int32Array | undefined {
  const { labels, classes: own } = images;
  if (labels === undefined || own === undefined) return undefined;
  const translated = own.map((name) => classes.indexOf(name));
  return labels.map((label) => (label < 0 ? -1 : translated[label]));
}

/** Numbers of the images with a label. */
export const labelledOnly = (labels: Int32Array): Int32Array =>
  Int32Array.from(labels.keys()).filter((i) => labels[i] >= 0);

/** Share of the largest class: what guessing that class would get right. */
export function largestShare(labels: ArrayLike<number>): number {
  const counts = new Map<number, number>();
  for (let i = 0; i < labels.length; i++) counts.set(labels[i], (counts.get(labels[i]) ?? 0) + 1);
  return labels.length === 0 ? 0 : Math.max(...counts.values()) / labels.length;
}
