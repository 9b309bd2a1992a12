import { expect, test } from "vitest";

import { followPace } from "./pace.ts";

test("a run that takes longer than planned says its new end, once for each time it moves", () => {
  let clock = 0;
  const pace = followPace(120, 10, () => clock);
  const after = (seconds: number, done: number) => {
    clock = 1000 * seconds;
    return pace(done);
  };
  expect(after(13, 1)).toBeUndefined(); // 130 s in all: near enough
  expect(after(50, 2)).toContain("about 4 minutes in all instead of 2 minutes");
  expect(after(75, 3)).toBeUndefined(); // as was said
  expect(after(240, 4)).toContain("10 minutes in all instead of 4 minutes");
  expect(after(900, 10)).toBeUndefined(); // over
});
