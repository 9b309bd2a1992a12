import { figure, grouped } from "../markup/figures.ts";
import { html, type Html } from "../markup/html.ts";
import { linearScale, multiplesWithin, niceAxis, niceStep, rangeOf } from "./scale.ts";

/** The drawing area, in the units of the view box. */
export const chartBox = { width: 480, height: 256, left: 48, right: 6, top: 30, bottom: 42 };

/** How axes are named and how their values are written. */
export type AxisNames = {
  xName: string;
  yName: string;
  formatTick?: (value: number, digits: number) => string;
};

const { width, height, left, right, top, bottom } = chartBox;
const COUNT = { x: 5, y: 4 }; // steps between ticks, about

/** Where values come to lie in the drawing area, and the ticks of both axes. */
export function chartScales(x: readonly number[], y: readonly number[]) {
  const across = rangeOf(x);
  const up = niceAxis(rangeOf(y), COUNT.y);
  return {
    x: linearScale(across, [left, width - right]),
    y: linearScale(up.domain, [height - bottom, top]),
    xTicks: wholeTicks(x, across),
    yTicks: up.ticks,
    digits: up.digits,
  };
}

export type Scales = ReturnType<typeof chartScales>;

/** Steps and epochs have no fractions; a single one is its own tick. */
function wholeTicks(x: readonly number[], across: readonly [number, number]): number[] {
  if (x.length === 1) return [x[0]];
  return multiplesWithin(across, Math.max(1, niceStep(across[1] - across[0], COUNT.x)));
}

/** Grid lines, ticks and names of both axes. */
export function axes(scales: Scales, names: AxisNames): Html {
  const formatTick = names.formatTick ?? axisFigure;
  const floor = height - bottom;
  return html`<g class="axis">
    <text class="name" x="0" y="11">${names.yName}</text>
    ${scales.yTicks.map((value) => yTick(scales.y(value), formatTick(value, scales.digits)))}
    <line class="floor" x1="${left}" x2="${width - right}" y1="${floor}" y2="${floor}" />
    ${scales.xTicks.map((value) => xTick(scales.x(value), grouped(value)))}
    <text class="name" x="${width - right}" y="${height - 4}" text-anchor="end"
      >${names.xName}</text
    >
  </g>`;
}

function yTick(at: number, text: string): Html {
  const y = at.toFixed(1);
  return html`<line class="grid" x1="${left}" x2="${width - right}" y1="${y}" y2="${y}" />
    <text x="${left - 8}" y="${y}" dy="0.32em" text-anchor="end">${text}</text>`;
}

function xTick(at: number, text: string): Html {
  const [x, floor] = [at.toFixed(1), height - bottom];
  return html`<line class="floor" x1="${x}" x2="${x}" y1="${floor}" y2="${floor + 4}" />
    <text x="${x}" y="${floor + 18}" text-anchor="middle">${text}</text>`;
}

const axisFigure = (value: number, digits: number): string =>
  digits > 4 && value !== 0 ? figure(value) : grouped(value, digits);
