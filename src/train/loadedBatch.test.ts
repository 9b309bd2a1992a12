import { expect, test } from "vitest";

import type { ViewBatch } from "../views/index.ts";
import { loadedBatch } from "./loadedBatch.ts";

test("a batch says what each view really shows, and gives its crop where asked", () => {
  const batch = {
    views: new Float32Array(4),
    ids: Int32Array.of(7, 3),
    groups: Int32Array.of(0, 1),
    sources: Int32Array.of(7, 3, 7, 9),
    parameters: (view: number, b: number) => ({
      crop: { x: view, y: b, width: 10 + view, height: 20 + b },
    }),
  } as unknown as ViewBatch;
  const labels = Int32Array.from({ length: 10 }, (_, id) => id % 2);
  const loaded = loadedBatch(batch, { labels, pixels: {} as never });
  expect(loaded.ids).toEqual(Int32Array.of(7, 3, 7, 9));
  expect(loaded.labels).toEqual(Int32Array.of(1, 1, 1, 1));
  expect(loaded.crops!()).toEqual(
    Float32Array.of(...[0, 0, 10, 20], ...[0, 1, 10, 21], ...[1, 0, 11, 20], ...[1, 1, 11, 21]),
  );
});
