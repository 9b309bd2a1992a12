import { expect, test } from "vitest";

import { isCopy, type Strictness } from "./strictness.ts";

const judged = (
  [likeness, agreement]: readonly [number, number],
  kind: { drawn?: boolean; small?: boolean },
  { strictness = "normal", changes = 0 }: { strictness?: Strictness; changes?: number } = {},
) =>
  isCopy(
    { likeness, agreement } as never,
    strictness,
    { drawn: false, small: false, ...kind },
    () => changes,
  );

test("outlines that go together do for photos, not for small pictures, whose details must", () => {
  const outlines = [0.95, 0.5] as const;
  expect(judged(outlines, {})).toBe(true);
  expect(judged(outlines, { small: true })).toBe(false);
  expect(judged([0.99, 0.95], { small: true })).toBe(true);
  expect(judged([0.99, 0.95], { small: true }, { changes: 4 })).toBe(false);
});

test("a photo may be marked, a form may not", () => {
  const alike = [0.97, 0.8] as const;
  expect(judged(alike, {}, { changes: 4 })).toBe(true);
  expect(judged(alike, { drawn: true }, { changes: 4 })).toBe(false);
  expect(judged(alike, {}, { changes: 4, strictness: "strict" })).toBe(false);
  expect(judged(alike, {}, { strictness: "exact" })).toBe(false);
});
