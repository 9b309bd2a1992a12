import { expect, test } from "vitest";

import { markupOf } from "../markup/html.ts";
import { barChart } from "./barChart.ts";

const whole = (value: number) => String(value);

test("bars start at nothing and are as long as their share of the axis", () => {
  const bars = [
    { name: "run", value: 40, interval: [35, 50] as const, accent: true },
    { name: "chance", value: 10 },
    { name: "lost", value: NaN },
  ];
  const markup = markupOf(barChart(bars, whole, whole)); // the axis ends at 50
  const widths = [...markup.matchAll(/class="bar"[^>]*width="([^"]*)"/g)].map((match) => match[1]);
  expect(widths).toEqual(["80.00%", "20.00%"]);
  const whisker = /<line\s+x1="70\.00%"\s+x2="100\.00%"/;
  expect(markup).toMatch(whisker);
  expect(markup).toContain("35 to 50");
  expect(markup).not.toContain("lost");
});

test("bars of zero have an axis too", () => {
  const markup = markupOf(barChart([{ name: "run", value: 0 }], whole, whole));
  expect(markup).toMatch(/class="bar"[^>]*width="0\.00%"/);
});
