import { expect, test } from "vitest";

import { markupOf } from "../markup/html.ts";
import { chartBox } from "./axes.ts";
import { lineChart, type LineChart } from "./lineChart.ts";

const { width, height, left, right, top, bottom } = chartBox;
const area = { right: width - right, floor: height - bottom };

function drawn(chart: Partial<LineChart> & Pick<LineChart, "x" | "series">): string {
  const markup = lineChart({ title: "Loss", xName: "step", yName: "nats", ...chart });
  return markup === undefined ? "" : markupOf(markup);
}

const paths = (markup: string, kind: string) =>
  [...markup.matchAll(/<path\s+class="([^"]*)"\s+d="([^"]*)"/g)]
    .filter(([, name]) => name.split(" ")[0] === kind)
    .map(([, name, d]) => ({ name, d }));

test("known values lie at known places: the corners and the middle of the area", () => {
  const markup = drawn({
    x: [0, 50, 100],
    series: [{ name: "loss", values: [0, 2, 4], tone: "accent" }],
  });
  const middle = [(left + area.right) / 2, (top + area.floor) / 2].map((at) => at.toFixed(1));
  expect(paths(markup, "line")[0].d).toBe(
    `M${left.toFixed(1)},${area.floor.toFixed(1)}L${middle.join(",")}L${area.right.toFixed(1)},${top.toFixed(1)}`,
  );
});

test("the values that the axis must show widen it", () => {
  const series = [{ name: "loss", values: [4, 4], tone: "accent" as const }];
  const d = paths(drawn({ x: [0, 1], series, include: [0, 8] }), "line")[0].d;
  const half = ((top + area.floor) / 2).toFixed(1);
  expect(d).toBe(`M${left.toFixed(1)},${half}L${area.right.toFixed(1)},${half}`);
});

test("a value that is missing or not finite leaves a gap", () => {
  const values = [1, 2, NaN, 2, undefined, 3];
  const markup = drawn({ x: [0, 1, 2, 3, 4, 5], series: [{ name: "a", values, tone: "ink" }] });
  expect(paths(markup, "line")[0].d.match(/M/g)).toHaveLength(3);
  expect(markup).not.toMatch(/NaN|undefined|Infinity/);
});

test("chance is dashed, and both curves are named with their last values", () => {
  const markup = drawn({
    x: [0, 1],
    series: [
      { name: "loss", values: [5, 3], tone: "accent" },
      { name: "chance", values: [4.5, 4.5], tone: "muted", dashed: true },
    ],
  });
  const dashed = paths(markup, "line").filter(({ name }) => name.includes("dashed"));
  expect(dashed.map(({ name }) => name)).toEqual(["line muted dashed"]);
  const legend = markup.slice(markup.indexOf("<ul"), markup.indexOf("</ul>"));
  expect(legend.replace(/<[^>]*>/g, "").replace(/\s+/g, " ")).toContain("loss 3.00 chance 4.50");
  expect(markup).toMatch(/aria-label="Loss over steps: loss from 5\.00 to 3\.00; chance [^"]*"/);
});

test("many points become means with a band from lowest to highest", () => {
  const x = Array.from({ length: 1000 }, (_, i) => i);
  const values = x.map((i) => i % 2); // every five neighbours hold a 0 and a 1
  const markup = drawn({ x, series: [{ name: "a", values, tone: "accent" }] });
  const [line, band] = [paths(markup, "line")[0].d, paths(markup, "band")[0].d];
  const ys = (d: string) => [...d.matchAll(/,([\d.]+)/g)].map((match) => Number(match[1]));
  expect(ys(line)).toHaveLength(200);
  expect([Math.min(...ys(band)), Math.max(...ys(band))]).toEqual([top, area.floor]);
  expect(Math.min(...ys(line))).toBeGreaterThan(top);
  expect(markup).toContain("mean of steps 0 to 4\na 0.40");
});

test("one point is a dot in the middle, and none is no chart", () => {
  const markup = drawn({ x: [3], series: [{ name: "a", values: [2], tone: "accent" }] });
  expect(markup).toContain(`cx="${((left + area.right) / 2).toFixed(1)}"`);
  expect(drawn({ x: [], series: [{ name: "a", values: [], tone: "accent" }] })).toBe("");
  expect(drawn({ x: [1], series: [{ name: "a", values: [NaN], tone: "accent" }] })).toBe("");
});
