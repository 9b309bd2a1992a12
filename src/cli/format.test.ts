import { expect, test } from "vitest";

import { columns, count, duration, figure, percent } from "./format.ts";
import { cut } from "./printer.ts";

test("times, shares and numbers are written for people", () => {
  expect([8, 65, 3600 * 2 + 600].map(duration)).toEqual(["8 s", "1 m 05 s", "2 h 10 m"]);
  expect(percent(0.4731)).toBe("47.3 %");
  expect(count(12345)).toBe("12,345");
  expect([1234.5, 40.26, 1.256].map(figure)).toEqual(["1,235", "40.3", "1.26"]);
});

test("columns are as wide as their widest cell", () => {
  const rows = [
    ["", "k-NN"],
    ["encoder", "7 %"],
  ];
  expect(columns(rows)).toEqual(["         k-NN", "encoder   7 %"]);
});

test("a line is cut to visible characters, colour codes do not count and stay whole", () => {
  expect(cut("\u001b[2mabcdef\u001b[22m", 3)).toBe("\u001b[2mabc\u001b[22m");
  expect(cut("ab", 5)).toBe("ab");
});
