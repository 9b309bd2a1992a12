import { expect, test } from "vitest";

import { judgeOf } from "./inspectRun.ts";
import type { PairRow } from "./pairRows.ts";

// images 0 and 1 are of one class, 2 of another, 3 has no label; row 5 shows image 2 as a view of image 0
const labels = Int32Array.from([0, 0, 1, -1]);
const views = [{ row: 5, source: 2 }] as never;
const judge = judgeOf({ views, anchors: [], pairs: [] }, { labels });
const verdict = (
  role: PairRow["role"],
  reasons: string,
  candidate: number | null,
  candidateRow: number | null = null,
) => judge({ anchor: 0, role, reasons, candidate, candidateRow } as PairRow);

test("pairs in the loss are judged by the side on which they stand", () => {
  expect(verdict("positive", "kept", 0)).toBe("right");
  expect(verdict("positive", "attracted", 1)).toBe("right");
  expect(verdict("positive", "nearest", 2)).toBe("wrong");
  expect(verdict("negative", "kept", 1)).toBe("wrong");
  expect(verdict("negative", "drawn", 2)).toBe("right");
  expect(verdict("positive", "kept", 0, 5)).toBe("wrong"); // it shows another image
});

test("pairs out of the loss are judged by what took them out", () => {
  expect(verdict("none", "cancelled", 1)).toBe("right");
  expect(verdict("none", "same-group,outside-ring", 2)).toBe("wrong");
  for (const reasons of ["outside-ring", "easy", "random", "far or found", "kept"]) {
    expect([verdict("none", reasons, 1), verdict("none", reasons, 2)]).toEqual([
      undefined,
      undefined,
    ]);
  }
});

test("a demoted view is right where it shows another image, and not judged otherwise", () => {
  expect(verdict("none", "sorted-out", 0, 5)).toBe("right");
  expect(verdict("negative", "sorted-out", 0, 5)).toBe("right");
  expect(verdict("none", "sorted-out", 0, 4)).toBeUndefined();
  expect(verdict("none", "replaced", 0)).toBeUndefined();
});

test("without labels, or for mixtures, nothing is judged", () => {
  expect(verdict("negative", "kept", 3)).toBeUndefined();
  expect(verdict("negative", "mixed", null)).toBeUndefined();
});
