import { expect, test } from "vitest";

import { startHint } from "./startHint.ts";

test("photographs are told of pretrained encoders, small images and those of unknown size are not", () => {
  expect(startHint(160)).toContain("contrapose list starts");
  expect(startHint(64)).toBeUndefined();
  expect(startHint(undefined)).toBeUndefined();
});
