/** What a part of a dataset is for: to learn from, with labels or without, to choose by, or to test. */
export type PartKind = "train" | "unlabeled" | "val" | "test";

const words: Record<PartKind, readonly string[]> = {
  train: ["train", "training", "trainval", "trn"],
  unlabeled: ["unlabeled", "unlabelled"],
  val: ["val", "valid", "validation", "dev", "eval", "evaluation"],
  test: ["test", "testing", "holdout", "heldout", "tst"],
};
const kinds = new Map(
  Object.entries(words).flatMap(([kind, all]) => all.map((word) => [word, kind as PartKind])),
);

/** Words that say nothing of which part it is; `labeled` does where no other word does. */
const filling =
  /^(labell?ed|sets?|data|dataset|images?|imgs?|pics|pictures|photos|files?|folder|splits?|parts?|shards?|jpe?gs?|pngs?)$/;
/** `testset` and its like are written together. */
const compound = /^([a-z]+?)(sets?|data|images?|imgs?|files?|split)$/;

const endings = /\.(tar|tar\.gz|tgz|gz|bin|jpe?g|png|webp|gif|tiff?|avif|bmp|parquet|csv|jsonl?)$/i;

function wordsOf(name: string): string[] {
  const spelled = name
    .replace(endings, "")
    .replace(/t10k/i, "test") // MNIST
    .replace(/data_batch/i, "train_batch") // CIFAR
    .replace(/(\p{Ll})(\p{Lu})/gu, "$1 $2")
    .toLowerCase();
  const all = spelled.match(/\p{L}+/gu) ?? [];
  return all.flatMap((word) => {
    const [, first = word, second = ""] = compound.exec(word) ?? [];
    return kinds.has(first) && second !== "" ? [first, second] : [word];
  });
}

/**
 * The part that a name speaks of: train2017, seg_test, imagenet-val, TrainImages. Words count, not
 * letters: contest and traineeship are none; nor is a name of two parts, as train-test-split.
 *
 * @returns the kind, and the other words of the name; undefined where it speaks of none
 */
export function partNamed(name: string): { kind: PartKind; rest: string } | undefined {
  const all = wordsOf(name);
  const found = [...new Set(all.flatMap((word) => kinds.get(word) ?? []))];
  const isLabelled =
    all.some((word) => /^labell?ed$/.test(word)) && all.every((word) => filling.test(word));
  const kind = isLabelled ? "train" : kindOf(found);
  if (kind === undefined) return undefined;
  return { kind, rest: all.filter((word) => !kinds.has(word) && !filling.test(word)).join(" ") };
}

/** The kind that several words of one name come to: train_val is to learn from, test-dev to test. */
function kindOf(found: readonly PartKind[]): PartKind | undefined {
  const has = (kind: PartKind) => found.includes(kind);
  if (has("test")) return has("train") ? undefined : "test";
  if (has("unlabeled")) return "unlabeled";
  return has("train") ? "train" : found.at(0);
}
