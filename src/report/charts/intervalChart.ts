import { html, type Html } from "../markup/html.ts";
import { niceAxis, rangeOf } from "./scale.ts";

/** A mean with its interval and the values it is the mean of. */
export type IntervalRow = {
  name: string;
  mean: number;
  half: number | null; // half the width of the interval; null where there is none
  values?: readonly number[]; // one a seed
  note?: string | undefined; // beside the figure
  accent?: boolean;
};

/** How an axis is written. */
export type IntervalFormat = {
  format: (value: number) => string;
  formatTick: (value: number, digits: number) => string;
};

/** A value that all rows are seen against, as a line with its name. */
export type IntervalMark = { readonly name: string; readonly value: number };

const MARGIN = 1.5; // per cent of the track on both sides, so that marks at the ends are whole

/** Means with intervals below each other on one scale. With `zero` the scale holds 0, and a line marks it. */
export function intervalChart(
  rows: readonly IntervalRow[],
  { format, formatTick }: IntervalFormat,
  zero: boolean,
  marks: readonly IntervalMark[] = [],
): Html {
  const ends = rows.flatMap(({ mean, half, values = [] }) => [
    ...[mean - (half ?? 0), mean + (half ?? 0)],
    ...values,
  ]);
  ends.push(...marks.map(({ value }) => value));
  const { domain, ticks, digits } = niceAxis(rangeOf(zero ? [...ends, 0] : ends), 5);
  const span = domain[1] - domain[0];
  const place = (value: number) =>
    `${(MARGIN + ((100 - 2 * MARGIN) * (value - domain[0])) / span).toFixed(2)}%`;
  const grid = ticks.map((tick) => {
    const kind = zero && tick === 0 ? "floor" : "grid";
    return html`<line class="${kind}" x1="${place(tick)}" x2="${place(tick)}" y1="0" y2="40" />`;
  });
  const lines = marks.map(
    ({ value }) =>
      html`<line class="mark" x1="${place(value)}" x2="${place(value)}" y1="0" y2="40" />`,
  );
  const noted = rows.some(({ note }) => note !== undefined);
  return html`<ul class="bars intervals${noted && " noted"}">
    ${rows.map((row) => intervalRow(row, [...grid, ...lines], place, format))}
    ${marks.map((mark) => markRow(mark, [...grid, ...lines], place, format))}
    <li class="scale" aria-hidden="true">
      <svg width="100%" height="18">
        ${ticks.map(
          (tick) =>
            html`<text x="${place(tick)}" y="13" text-anchor="middle"
              >${formatTick(tick, digits)}</text
            >`,
        )}
      </svg>
    </li>
  </ul>`;
}

/** A row that names a mark. */
function markRow(
  { name, value }: IntervalMark,
  grid: readonly Html[],
  place: (value: number) => string,
  format: (value: number) => string,
): Html {
  return html`<li class="plain marked">
    <span class="bar-name">${name}</span>
    <svg width="100%" height="40" aria-hidden="true">
      ${grid}
      <circle class="mark-dot" cx="${place(value)}" cy="20" r="4" />
    </svg>
    <span class="bar-value"><b>${format(value)}</b></span>
  </li>`;
}

function intervalRow(
  { name, mean, half, values = [], note, accent = false }: IntervalRow,
  grid: readonly Html[],
  place: (value: number) => string,
  format: (value: number) => string,
): Html {
  const [low, high] = [mean - (half ?? 0), mean + (half ?? 0)];
  const between = half === null ? undefined : `${format(low)} to ${format(high)}`;
  const said = [between, note].filter((part) => part !== undefined).join(", ");
  return html`<li class="${accent ? "accent" : "plain"}">
    <span class="bar-name">${name}</span>
    <svg width="100%" height="40" aria-hidden="true">
      ${grid}
      ${
        half !== null &&
        html`<line class="reach" x1="${place(low)}" x2="${place(high)}" y1="20" y2="20" />`
      }
      ${values.map((value) => html`<circle class="seed" cx="${place(value)}" cy="20" r="3" />`)}
      <line class="mean" x1="${place(mean)}" x2="${place(mean)}" y1="11" y2="29" />
      <rect class="hit" x="0" y="0" width="100%" height="40">
        <title>${name}: ${format(mean)}${said !== "" && ` (${said})`}</title>
      </rect>
    </svg>
    <span class="bar-value"
      ><b>${format(mean)}</b>${said !== "" && html` <small>${said}</small>`}</span
    >
  </li>`;
}
