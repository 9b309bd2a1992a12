import { expect, test } from "vitest";

import { valueReader } from "./values.ts";

test.each(["NaN", "Infinity", "abc", "", "-1", "1.5", "1e38", "1e-38"])(
  "a whole number is not %j",
  (text) => {
    const values = valueReader("try", { seed: text });
    expect(values.number("seed", { whole: true, least: 0 })).toBe(undefined);
    expect(() => values.check()).toThrow(
      `try: --seed: expected a whole number of at least 0 and at most 4294967295 (is "${text}")`,
    );
  },
);

test("a number within its bounds is read", () => {
  const values = valueReader("try", { seconds: "0.5" });
  expect(values.number("seconds", { above: 0 })).toBe(0.5);
  values.check();
});
