import { expect, test } from "vitest";

import { counted, duration, figure, grouped, percentage } from "./figures.ts";

test("numbers keep the figures that carry meaning", () => {
  const cases: [number, string][] = [
    [0, "0"],
    [1234567, "1,234,567"],
    [40.26, "40.3"],
    [1.254, "1.25"],
    [0.24, "0.24"],
    [0.02514, "0.025"],
    [0.0003, "0.00030"],
    [-2.5, "\u22122.50"],
    [3.2e-7, "3.2e\u22127"],
    [NaN, "NaN"],
  ];
  for (const [value, text] of cases) expect(figure(value)).toBe(text);
});

test("shares, counts and durations are written with their unit", () => {
  expect(percentage(0.4734)).toBe("47.3\u00a0%");
  expect(percentage(1, 0)).toBe("100\u00a0%");
  expect(grouped(-0.5, 1)).toBe("\u22120.5");
  expect([counted(1, "image"), counted(12345, "image")]).toEqual(["1 image", "12,345 images"]);
  const spoken = [0.84, 42, 245, 7805, 59.7].map((seconds) => duration(seconds));
  expect(spoken.map((text) => text.replaceAll("\u00a0", " "))).toEqual([
    "0.8 s",
    "42 s",
    "4 min 05 s",
    "2 h 10 min",
    "1 min 00 s",
  ]);
});
