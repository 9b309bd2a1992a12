import { counted } from "../../core/counted.ts";
import { DataError } from "../../core/errors.ts";
import { epochOrder } from "../../views/index.ts";
import { goesByLabels } from "./checkLabels.ts";
import type { RunConfig } from "../../config/schema.ts";
import type { TrainingData } from "../dataset.ts";

/** Refuses images that all look the same: their views teach nothing. */
function checkViews({ count, dataset }: TrainingData): void {
  const first = dataset.entry(0);
  let [same, blank] = [true, true];
  for (let i = 0; i < count && (same || blank); i++) {
    const entry = dataset.entry(i);
    same &&= entry.content === first.content;
    blank &&= entry.blank === true;
  }
  if (!same && !blank) return;
  const what = blank ? "are of one colour each" : "have the same pixels";
  throw new DataError(
    `train: all ${count} images ${what}, so that all views of an image are equal to those of others`,
    "check that these are the images you mean; contrapose pack says what became of each",
  );
}

const counter = () => {
  const counts = new Map<string, number>();
  return {
    add: (key: string) => counts.set(key, (counts.get(key) ?? 0) + 1),
    of: (key: string) => counts.get(key) ?? 0,
  };
};

/** How many of some images have no negative among the others: all are of their group or of their label. */
function lonely(images: ArrayLike<number>, groups: Int32Array, labels: Int32Array | undefined) {
  const [byGroup, byLabel, byBoth] = [counter(), counter(), counter()];
  const keys = Array.from(images, (image) => {
    const [group, label] = [String(groups[image]), labels?.[image] ?? -1];
    return label < 0 ? { group } : { group, label: String(label), both: `${group} ${label}` };
  });
  for (const { group, label, both } of keys) {
    byGroup.add(group);
    if (label !== undefined) byLabel.add(label);
    if (both !== undefined) byBoth.add(both);
  }
  return keys.filter(({ group, label = "", both = "" }) => {
    const friends = byGroup.of(group) + byLabel.of(label) - byBoth.of(both);
    return friends === images.length;
  }).length;
}

const SHARE = 0.01; // of the anchors of an epoch that may go without negatives

/**
 * Refuses images whose anchors have no negatives: images of one group, or with samplers that go by labels
 * of one label, are never each other's. Where negatives come from the batch alone, the batches of the
 * first epoch are looked at.
 *
 * @param inBatch whether all candidates of an anchor are images of its batch
 */
export function checkNegatives(
  { samplers, batchSize, seed }: Pick<RunConfig, "samplers" | "batchSize" | "seed">,
  data: TrainingData,
  inBatch: boolean,
): void {
  checkViews(data);
  const { groups } = data.dataset;
  const labels = goesByLabels(samplers) ? data.labels : undefined;
  const of = labels === undefined ? "group" : "group or label";
  const all = epochOrder(seed, 0, data.count);
  const never = lonely(all, groups, labels);
  if (never > 0) {
    throw new DataError(
      `train: ${never} of ${counted(data.count, "image")} ${never === 1 ? "has" : "have"} no negatives: all images are of their ${of} (copies, near-duplicates, a burst, or as a file says)`,
      "contrapose dedupe shows what is alike; give other images too, or packed ones: contrapose pack --set nearDuplicates=false",
    );
  }
  if (!inBatch) return;
  let [anchors, alone] = [0, 0];
  for (let at = 0; at + batchSize <= data.count; at += batchSize, anchors += batchSize) {
    alone += lonely(all.subarray(at, at + batchSize), groups, labels);
  }
  if (alone <= SHARE * anchors) return;
  throw new DataError(
    `train: ${alone} of ${anchors} anchors of the first epoch have no negatives: all images of their batch of ${batchSize} are of their ${of}`,
    "a larger --batch-size, --framework moco, whose queue holds other images, or images that are less alike",
  );
}
