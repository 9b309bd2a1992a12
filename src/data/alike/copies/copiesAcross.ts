import { pauses } from "../../../core/pause.ts";
import type { PackedDataset } from "../../packed/openDataset.ts";
import { copyLinks, openGallery } from "./findCopies.ts";
import { usual } from "./strictness.ts";

/** Which images of a test set are copies of training images. */
export type CopiesAcross = {
  readonly original: Int32Array; // [test images]: the training image that each is a copy of, −1 without
  readonly count: number; // of test images that are a copy
};

/** Numbers of images whose stored pixels are the same, by these; of plain ones none. */
function byContent(dataset: PackedDataset): Map<string, number> {
  const numbers = new Map<string, number>();
  for (let i = dataset.count - 1; i >= 0; i--) {
    const { content, blank } = dataset.entry(i);
    if (blank !== true) numbers.set(content, i);
  }
  return numbers;
}

/**
 * Counts copies between training and test images, whose figures they flatter: an encoder has seen the
 * copies, and a classifier their labels. Copies are the same pixels, or nearly: resized, recompressed,
 * brighter or darker, grey, turned, mirrored, cut, with a border or a mark (`usual` of dedupe: forms and simple
 * drawings that differ in a place are no copies). Plain pictures of one colour are copies of none. Takes about a
 * millisecond an image; the sets may be packed in different sizes.
 *
 * @param signal stops the search with an error
 */
export async function copiesAcross(
  train: PackedDataset,
  test: PackedDataset,
  signal?: AbortSignal,
): Promise<CopiesAcross> {
  const pause = pauses("the search for copies of training images", signal);
  const known = byContent(train);
  const original = Int32Array.from({ length: test.count }, (_, i) => {
    const { content, blank } = test.entry(i);
    return blank === true ? -1 : (known.get(content) ?? -1);
  });
  const others = Int32Array.from(original.keys()).filter((i) => original[i] < 0);
  const read = (i: number) =>
    i < train.count ? train.image(i) : test.image(others[i - train.count]);
  const gallery = openGallery({ count: train.count + others.length, read }, usual);
  const isTest = (i: number) => i >= train.count;
  const settled = (i: number) => isTest(i) && original[others[i - train.count]] >= 0;
  const skip = (a: number, b: number) => isTest(a) === isTest(b) || settled(a) || settled(b);
  for await (const { a, b } of copyLinks(gallery, [...Array(gallery.count).keys()], skip, pause)) {
    const [from, copy] = isTest(a) ? [b, a] : [a, b];
    original[others[copy - train.count]] = from;
  }
  return { original, count: original.filter((from) => from >= 0).length };
}
