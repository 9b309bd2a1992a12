import { expect, test } from "vitest";

import { isCopy, type PairKind, type Strictness } from "./strictness.ts";

type Found = {
  strictness?: Strictness;
  changes?: number; // places
  grey?: number; // levels by which any share of the tones misses at most
  colour?: number;
};

const judged = (
  [likeness, agreement]: readonly [number, number],
  kind: Partial<PairKind>,
  { strictness = "normal", changes = 0, grey = 1, colour = 1 }: Found = {},
) =>
  isCopy(
    { likeness, agreement } as never,
    strictness,
    { drawn: false, small: false, colours: "both", ...kind },
    { changed: () => changes, tones: () => ({ grey: () => grey, colour: () => colour }) },
  );

test("outlines that go together do for photos; small pictures must have the same tones besides", () => {
  const outlines = [0.95, 0.65] as const;
  expect(judged(outlines, {}, { grey: 9 })).toBe(true);
  expect(judged(outlines, { small: true }, { grey: 9 })).toBe(false);
  expect(judged(outlines, { small: true }, { grey: 4, colour: 9 })).toBe(false);
  expect(judged(outlines, { small: true }, { grey: 4, colour: 6 })).toBe(true);
  expect(judged([0.95, 0.5], { small: true })).toBe(false);
});

test("small pictures without colours need more details in common", () => {
  expect(judged([0.95, 0.75], { small: true, colours: "none" })).toBe(false);
  expect(judged([0.99, 0.85], { small: true, colours: "none" })).toBe(true);
  expect(judged([0.99, 0.85], { small: true, colours: "none" }, { grey: 4 })).toBe(false);
  // of a grey copy the tones of colours tell nothing
  expect(judged([0.99, 0.85], { small: true, colours: "one" })).toBe(false);
  expect(judged([0.99, 0.95], { small: true, colours: "one" }, { grey: 9 })).toBe(true);
});

test.each([{}, { small: true }])("a photo may be marked, a form may not: %j", (size) => {
  const alike = [0.97, 0.8] as const;
  expect(judged(alike, size, { changes: 4 })).toBe(true);
  expect(judged(alike, { ...size, drawn: true }, { changes: 4 })).toBe(false);
  expect(judged(alike, size, { changes: 4, strictness: "strict" })).toBe(false);
  expect(judged(alike, size, { strictness: "exact" })).toBe(false);
});
