import type { ImageSource, SplitChoice } from "./source.ts";

const words: Record<"train" | "test" | "other", readonly string[]> = {
  train: ["train", "training", "data_batch"],
  test: ["test", "testing", "t10k", "test_batch"],
  other: ["val", "valid", "validation", "dev", "eval"],
};

/** Which part of a dataset a file or folder name speaks of, or undefined. */
export function splitOf(name: string): "train" | "test" | "other" | undefined {
  const plain = name.toLowerCase();
  const speaks = (word: string) =>
    plain === word || (plain.startsWith(word) && /^[-_.]/.test(plain.slice(word.length)));
  const kinds = ["train", "test", "other"] as const;
  return kinds.find((kind) => words[kind].some(speaks));
}

/** What is read of a place, and what its source says of that. */
export type Split = {
  readonly kept: readonly string[];
  readonly about: Pick<ImageSource, "part" | "notes">;
};

/** What is read of names that may be parts of a dataset, with a sentence where something is left out. */
export function chooseSplit(names: readonly string[], choice: SplitChoice): Split {
  const of = (kind: string) => names.filter((name) => splitOf(name) === kind);
  const train = of("train");
  const held = [...of("test"), ...of("other")];
  const parted = train.length > 0 && held.length > 0 && train.length + held.length === names.length;
  const open = choice === "auto" || choice === "heldOut";
  if (choice === "all" || (open && !parted)) return { kept: names, about: { notes: [] } };
  const test = of("test");
  const other = choice === "heldOut" && test.length === 0 ? of("other") : test;
  const kept = choice === "auto" || choice === "train" ? train : other;
  const left = names.filter((name) => !kept.includes(name));
  if (left.length === 0) return { kept, about: { notes: [] } };
  const part = kept.join(", ") || "nothing";
  return { kept, about: { part, notes: [`read ${part} only; left out ${left.join(", ")}`] } };
}
