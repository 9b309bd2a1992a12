import type { SplitChoice } from "./source.ts";

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

/** What is read of names that may be parts of a dataset, with a sentence where something is left out. */
export function chooseSplit(
  names: readonly string[],
  choice: SplitChoice,
): { kept: string[]; note?: string } {
  const of = (kind: string) => names.filter((name) => splitOf(name) === kind);
  const train = of("train");
  const held = [...of("test"), ...of("other")];
  const parted = train.length > 0 && held.length > 0 && train.length + held.length === names.length;
  if (choice === "all" || (choice === "auto" && !parted)) return { kept: [...names] };
  const kept = choice === "test" ? of("test") : train;
  const left = names.filter((name) => !kept.includes(name));
  if (left.length === 0) return { kept };
  const note = `read ${kept.join(", ") || "nothing"} only; left out ${left.join(", ")}`;
  return { kept, note };
}
