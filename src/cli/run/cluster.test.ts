import { expect, test } from "vitest";

import { titleOf } from "./cluster.ts";

test("a cluster keeps to its line whatever its class is called", () => {
  expect(titleOf({ label: "a\nb\u001b[31m", share: 0.5 }, 0)).toBe(
    "Cluster 1, 50 % a\\nb\\u001b[31m",
  );
  expect(titleOf({ label: undefined, share: 0 }, 1)).toBe("Cluster 2");
});
