import { describe, expect, test } from "vitest";

import { parseYaml } from "./parseYaml.ts";

test("reads YAML and JSON, with anchors", () => {
  expect(parseYaml("a: &one {b: [1, 2]}\nc: *one\n")).toEqual({
    a: { b: [1, 2] },
    c: { b: [1, 2] },
  });
  expect(parseYaml('{"a": {"b": [1, "[["]}}')).toEqual({ a: { b: [1, "[["] } });
  expect(parseYaml("- - 1\n  - 2\n- key:\n  - 3\n")).toEqual([[1, 2], { key: [3] }]);
});

describe("what would nest deeply, go in circles or take long is refused at once", () => {
  test.each([
    ["brackets", "[".repeat(20_000), "20000 brackets"],
    ["closing brackets", "]".repeat(20_000), "20000 brackets"],
    ["brackets in comments", "[ #]\n".repeat(2000), "4000 brackets"],
    ["dashes", "- ".repeat(2000), "line 1 opens more than 8 levels"],
    ["questions", "? ".repeat(2000), "line 1 opens more than 8 levels"],
    ["indents", Array.from({ length: 100 }, (_, i) => `${" ".repeat(i)}a:`).join("\n"), "line 66"],
    ["empty lines", `a: {b,${"\n".repeat(20_000)}h{`, "20001 lines"],
    ["length", "a: 1 # ".padEnd(40_000, "x"), "40000 characters"],
    ["a circle", "a: &one [*one]", "an alias stands for something that it is in"],
    ["a circle of maps", "a: &one\n  b: {c: *one}\n", "an alias stands for"],
    ["laughs", laughs(), "Excessive alias count"],
    ["an unknown tag", "a: !!python/object x", "Unresolved tag"],
    ["no such alias", "a: *b", "Unresolved alias"],
    ["two documents", "a: 1\n---\nb: 2\n", "several documents"],
  ])("%s", (_, text, message) => {
    expect(() => parseYaml(text)).toThrow(message);
  });
});

/** Nine lists of nine lists of …: a billion in a few lines. */
function laughs(): string {
  const list = (of: string) => `[${Array.from({ length: 9 }, () => of).join(", ")}]`;
  const lines = Array.from({ length: 9 }, (_, i) => `l${i + 1}: &l${i + 1} ${list(`*l${i}`)}`);
  return `l0: &l0 ha\n${lines.join("\n")}\n`;
}
