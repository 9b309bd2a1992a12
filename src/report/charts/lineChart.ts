import { figure, grouped } from "../markup/figures.ts";
import { html, type Html } from "../markup/html.ts";
import { axes, chartBox, chartScales, type Scales } from "./axes.ts";
import { type Bucket, bucketsOf, spreadOf } from "./condense.ts";
import { areaPath, linePath } from "./paths.ts";

/** Values over the `x` of its chart, one each; what is not finite leaves a gap. */
export type LineSeries = {
  name: string;
  values: readonly (number | undefined)[];
  tone: "accent" | "ink" | "muted";
  dashed?: boolean;
};

/** Curves over one axis. */
export type LineChart = {
  title: string;
  xName: string; // "step"
  yName: string; // "loss (nats)"
  x: readonly number[]; // rising
  series: readonly LineSeries[];
  /** Values that the y axis must show. */
  include?: readonly number[];
  /** Shows a value in the legend and in tooltips. */
  format?: (value: number) => string;
  /** Shows a tick of the y axis; `digits` tell its ticks apart. */
  formatTick?: (value: number, digits: number) => string;
  /** Says where points `first` to `last` lie: "step 20, epoch 1". */
  describe?: (first: number, last: number) => string;
};

const LIMIT = 200; // points drawn at most
const DOTS = 40; // up to as many points are drawn as dots too

type Spread = ReturnType<typeof spreadOf>;
type DrawnSeries = LineSeries & { spreads: readonly Spread[] };

/** A figure with its legend; `undefined` where there is nothing to draw. */
export function lineChart(chart: LineChart): Html | undefined {
  const buckets = bucketsOf(chart.x.length, LIMIT);
  const series = chart.series
    .map((one) => drawnSeries(one, buckets))
    .filter((one) => one.spreads.some(({ mean }) => Number.isFinite(mean)));
  if (series.length === 0) return undefined;
  const extremes = series.flatMap(({ spreads }) => spreads.flatMap(({ low, high }) => [low, high]));
  const scales = chartScales(chart.x, [...extremes, ...(chart.include ?? [])]);
  const xs = buckets.map(({ first, last }) => scales.x((chart.x[first] + chart.x[last]) / 2));
  return html`<figure class="chart">
    <figcaption>
      <h3>${chart.title}</h3>
      ${legend(chart, series)}
    </figcaption>
    <svg
      viewBox="0 0 ${chartBox.width} ${chartBox.height}"
      role="img"
      aria-label="${summary(chart, series)}"
    >
      ${axes(scales, chart)}${[...series].reverse().map((one) => curve(one, xs, scales))}${hits(chart, series, buckets, xs)}
    </svg>
  </figure>`;
}

function drawnSeries(series: LineSeries, buckets: readonly Bucket[]): DrawnSeries {
  const values = series.values.map((value) => value ?? NaN);
  return { ...series, spreads: buckets.map((bucket) => spreadOf(values, bucket)) };
}

const formatOf = (chart: LineChart) => chart.format ?? figure;

const lastFinite = (values: readonly (number | undefined)[]): number =>
  values.findLast((value) => Number.isFinite(value)) ?? NaN;

/** Names and last values; a curve on its own is named by the title already. */
function legend(chart: LineChart, series: readonly DrawnSeries[]): Html {
  const items = series.map(({ name, values, tone, dashed }) => {
    const last = html`<b>${formatOf(chart)(lastFinite(values))}</b>`;
    if (series.length === 1) return html`<li>last ${last}</li>`;
    const line = html`<line
      x1="1"
      y1="5"
      x2="21"
      y2="5"
      class="line ${tone}${dashed && " dashed"}"
    />`;
    return html`<li>
      <svg class="swatch" width="22" height="10" aria-hidden="true">${line}</svg>${name} ${last}
    </li>`;
  });
  return html`<ul class="legend" aria-label="last values">
    ${items}
  </ul>`;
}

function summary(chart: LineChart, series: readonly DrawnSeries[]): string {
  const said = series.map(({ name, values }) => {
    const finite = values.filter((value) => Number.isFinite(value)) as number[];
    const format = formatOf(chart);
    return `${name} from ${format(finite[0])} to ${format(finite[finite.length - 1])}`;
  });
  return `${chart.title} over ${chart.xName}s: ${said.join("; ")}.`;
}

function curve(series: DrawnSeries, xs: readonly number[], scales: Scales): Html {
  const place = (key: keyof Spread) => series.spreads.map((spread) => scales.y(spread[key]));
  const tone = `${series.tone}${series.dashed ? " dashed" : ""}`;
  const spread = series.spreads.some(({ low, high }) => high > low);
  const ys = place("mean");
  const finite = ys.filter((y) => Number.isFinite(y)).length;
  const dots = finite === 1 || (!series.dashed && xs.length <= DOTS);
  return html`${spread && html`<path class="band ${series.tone}" d="${areaPath(xs, place("low"), place("high"))}" />`}
    <path class="line ${tone}" d="${linePath(xs, ys)}" />
    ${dots && ys.map((y, i) => Number.isFinite(y) && html`<circle class="dot ${series.tone}" cx="${xs[i].toFixed(1)}" cy="${y.toFixed(1)}" r="2.5" />`)}`;
}

/** Upright strips that tell the values under the pointer. */
function hits(
  chart: LineChart,
  series: readonly DrawnSeries[],
  buckets: readonly Bucket[],
  xs: readonly number[],
): Html[] {
  const { width, right, left, top, height, bottom } = chartBox;
  const edge = (i: number) =>
    i === 0 ? left : i === xs.length ? width - right : (xs[i - 1] + xs[i]) / 2;
  return buckets.map((bucket, i) => {
    const where = describeBucket(chart, bucket);
    const values = series
      .filter(({ spreads }) => Number.isFinite(spreads[i].mean))
      .map(({ name, spreads }) => `${name} ${formatOf(chart)(spreads[i].mean)}`);
    return html`<rect
      class="hit"
      x="${edge(i).toFixed(1)}"
      y="${top}"
      width="${Math.max(0, edge(i + 1) - edge(i)).toFixed(1)}"
      height="${height - bottom - top}"
      ><title>${[where, ...values].join("\n")}</title></rect
    >`;
  });
}

function describeBucket(chart: LineChart, { first, last }: Bucket): string {
  if (chart.describe) return chart.describe(first, last);
  const [from, to] = [grouped(chart.x[first]), grouped(chart.x[last])];
  return first === last ? `${chart.xName} ${from}` : `mean of ${chart.xName}s ${from} to ${to}`;
}
