import { ConfigError } from "../core/errors.ts";
import { permutation, randomStream } from "../core/random.ts";
import { keptCopies } from "../data/index.ts";
import { type Images, labelledOnly, labelsIn, refuseSame } from "../inference/index.ts";

/** Some images with their labels. */
export type Part = {
  readonly images: Images;
  readonly indices: Int32Array;
  readonly labels: Int32Array | undefined; // of `indices`, in the classes of the training images
};

/** What is learned from, and what is asked. */
export type Split = {
  readonly train: Part;
  readonly test: Part;
  readonly classes: readonly string[];
  /** How the two came about, in words. */
  readonly how: string;
  /** 1 for each test image [test] that is a copy of a training image; known where test images were given. */
  readonly copied?: Uint8Array;
};

const all = (count: number): Int32Array => Int32Array.from({ length: count }, (_, i) => i);

function part(images: Images, classes: readonly string[]): Part {
  const labels = labelsIn(images, classes);
  if (labels === undefined) return { images, indices: all(images.count), labels: undefined };
  const indices = labelledOnly(labels);
  return { images, indices, labels: indices.map((index) => labels[index]) };
}

type Division = { classes: readonly string[]; share: number; seed: number };

/** A share of the groups of a set for testing, so that no near-duplicate stands on both sides. */
function divided(images: Images, { classes, share, seed }: Division): [Part, Part] {
  const whole = part(images, classes);
  const { groups } = images.dataset;
  const names = [...new Set(Array.from(whole.indices, (index) => groups[index]))];
  const order = permutation(randomStream(seed, "heldOut"), names.length);
  const out = new Set(
    Array.from(order.slice(0, Math.round(names.length * share)), (i) => names[i]),
  );
  const side = (test: boolean): Part => {
    const places = [...whole.indices.keys()].filter(
      (i) => out.has(groups[whole.indices[i]]) === test,
    );
    return {
      images,
      indices: Int32Array.from(places, (i) => whole.indices[i]),
      labels: whole.labels && Int32Array.from(places, (i) => whole.labels![i]),
    };
  };
  return [side(false), side(true)];
}

/**
 * Images to learn from and to ask in an evaluation. Without test images a fifth of the training images is held out;
 * where only the test images have labels, one half of them is learned from and the other asked.
 *
 * @param how how the test images came about, in words
 */
export function splitImages(
  train: Images,
  test: Images | undefined,
  seed: number,
  how = "test images as given",
): Split {
  const classes = train.classes ?? [];
  if (test === undefined) {
    const [left, right] = divided(train, { classes, share: 0.2, seed });
    return {
      train: left,
      test: right,
      classes,
      how: "a fifth of the training images, asked of the others",
    };
  }
  refuseSame("evaluate", train, test);
  if (classes.length === 0 && test.classes !== undefined) {
    const [left, right] = divided(test, { classes: test.classes, share: 0.5, seed });
    const halves =
      "half of the test images, learned from the other half: training images have no labels";
    return { train: left, test: right, classes: test.classes, how: halves };
  }
  const [left, right] = [part(train, classes), part(test, classes)];
  const asked = right.indices.length;
  if (classes.length > 0 && (right.labels === undefined || asked === 0)) {
    const theirs = test.classes?.slice(0, 5).join(", ") ?? "none";
    throw new ConfigError(
      `evaluate: no test image has a class of the training images (${classes.slice(0, 5).join(", ")}), their classes: ${theirs}`,
      "classes are the names of the folders that images lie in",
    );
  }
  return { train: left, test: right, classes, how };
}

/** The split with what `keptCopies` says of its test images; unchanged where its sides are of one set. */
export async function withCopies(split: Split, signal: AbortSignal | undefined): Promise<Split> {
  const { train, test } = split;
  if (train.images === test.images) return split;
  const { original } = await keptCopies(train.images.dataset, test.images.dataset, signal);
  return { ...split, copied: Uint8Array.from(test.indices, (i) => (original[i] < 0 ? 0 : 1)) };
}
