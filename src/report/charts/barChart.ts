import { html, type Html } from "../markup/html.ts";
import { niceAxis, rangeOf } from "./scale.ts";

/** One bar from 0 to `value`, with a whisker over `interval`. */
export type Bar = {
  name: string;
  value: number; // ≥ 0
  interval?: readonly [number, number] | undefined;
  accent?: boolean;
};

/** Bars below each other on one scale that starts at 0. Positions are percentages of the track. */
export function barChart(
  bars: readonly Bar[],
  format: (value: number) => string,
  formatTick: (value: number, digits: number) => string,
): Html {
  const drawn = bars.filter(({ value }) => Number.isFinite(value));
  const ends = drawn.flatMap(({ value, interval }) => [value, interval?.[1] ?? value]);
  const { domain, ticks, digits } = niceAxis([0, rangeOf([0, ...ends])[1]], 5);
  const top = domain[1];
  const place = (value: number) => `${((100 * value) / top).toFixed(2)}%`;
  const grid = ticks.map(
    (tick) => html`<line class="grid" x1="${place(tick)}" x2="${place(tick)}" y1="0" y2="40" />`,
  );
  return html`<ul class="bars">
    ${drawn.map((bar) => barRow(bar, grid, place, format))}
    <li class="scale" aria-hidden="true">
      <svg width="100%" height="18">
        ${ticks.map((tick) => tickText(tick, top, place(tick), formatTick(tick, digits)))}
      </svg>
    </li>
  </ul>`;
}

function tickText(tick: number, top: number, x: string, text: string): Html {
  const anchor = tick === 0 ? "start" : tick === top ? "end" : "middle";
  return html`<text x="${x}" y="13" text-anchor="${anchor}">${text}</text>`;
}

function barRow(
  bar: Bar,
  grid: readonly Html[],
  place: (value: number) => string,
  format: (value: number) => string,
): Html {
  const { name, value, interval } = bar;
  const [low, high] = interval ?? [value, value];
  const between = `${format(low)} to ${format(high)}`;
  const lines = interval && [
    html`<line x1="${place(low)}" x2="${place(high)}" y1="20" y2="20" />`,
    ...interval.map((end) => html`<line x1="${place(end)}" x2="${place(end)}" y1="15" y2="25" />`),
  ];
  const whisker = lines && html`<g class="whisker"><g class="halo">${lines}</g>${lines}</g>`;
  return html`<li class="${bar.accent ? "accent" : "plain"}">
    <span class="bar-name">${name}</span>
    <svg width="100%" height="40" aria-hidden="true">
      ${grid}
      <rect class="bar" x="0" y="9" width="${place(value)}" height="22" />
      ${whisker}
      <rect class="hit" x="0" y="0" width="100%" height="40">
        <title>${name}: ${format(value)}${interval && ` (${between})`}</title>
      </rect>
    </svg>
    <span class="bar-value"
      ><b>${format(value)}</b>${interval && html` <small>${between}</small>`}</span
    >
  </li>`;
}
