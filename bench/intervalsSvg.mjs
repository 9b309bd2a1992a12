// Differences with intervals below each other, one panel or several side by side, as an SVG that stands alone.

import { linearScale, niceAxis, rangeOf } from "../dist/report/charts/scale.js";
import { escapeText } from "../dist/report/markup/html.js";

const WIDTH = 860;
const ROW = 26;
const TOP = 34;
const BOTTOM = 30;
const NAMES = 190;
const GAP = 28;
const VALUE = 48; // written behind its row

const colours = {
  paper: "#fcfbf8",
  ink: "#1d2023",
  soft: "#5b6066",
  line: "#dedbd3",
  accent: "#0b6a67",
};
const font =
  'font-family="system-ui, -apple-system, Segoe UI, Roboto, Helvetica Neue, Arial, sans-serif"';
const line = (x1, y1, x2, y2, colour, width) =>
  `<line x1="${x1.toFixed(1)}" y1="${y1}" x2="${x2.toFixed(1)}" y2="${y2}" stroke="${colour}" stroke-width="${width}"/>`;
const text = (x, y, words, { anchor = "start", colour = colours.ink, weight = 400 } = {}) =>
  `<text x="${x.toFixed(1)}" y="${y}" text-anchor="${anchor}" fill="${colour}" font-weight="${weight}">${escapeText(words)}</text>`;

function panelSvg({ title, rows }, from, to) {
  const known = rows.filter((row) => row?.mean !== undefined);
  const ends = known.flatMap(({ mean, half, values }) => [
    0,
    mean - (half ?? 0),
    mean + (half ?? 0),
    ...values,
  ]);
  const { domain, ticks, digits } = niceAxis(rangeOf(ends), 5);
  const x = linearScale(domain, [from, to - VALUE]);
  const bottom = TOP + ROW * rows.length;
  const scale = ticks.map(
    (tick) =>
      line(x(tick), TOP, x(tick), bottom, tick === 0 ? colours.soft : colours.line, 1) +
      text(x(tick), bottom + 18, tick.toFixed(digits).replace("-", "−"), {
        anchor: "middle",
        colour: colours.soft,
      }),
  );
  const marks = rows.map((row, i) => {
    const y = TOP + ROW * (i + 0.5);
    if (row === undefined) return text(from, y + 4, "not run", { colour: colours.soft });
    const { value, mean, half, values } = row;
    const written = text(to, y + 4, value.toFixed(1), { anchor: "end", weight: 600 });
    if (mean === undefined) return written;
    return [
      half === null ? "" : line(x(mean - half), y, x(mean + half), y, colours.accent, 2),
      ...values.map(
        (value) =>
          `<circle cx="${x(value).toFixed(1)}" cy="${y}" r="2.5" fill="${colours.soft}" fill-opacity="0.55"/>`,
      ),
      line(x(mean), y - 7, x(mean), y + 7, colours.accent, 3),
      written,
    ].join("");
  });
  const head = [
    text(from, 20, title, { colour: colours.soft }),
    text(to, 20, "%", { anchor: "end", colour: colours.soft }),
  ];
  return [...head, ...scale, ...marks].join("\n");
}

/**
 * `names`: of the rows, with `base` where others are compared with it. `panels`: a title, and for every row the `value`
 * to write, and where it is compared with another the `mean` difference, `half` its interval (or null) and the `values`
 * it is the mean of; undefined where there is none.
 */
export function intervalsSvg(title, names, panels) {
  const height = TOP + ROW * names.length + BOTTOM;
  const wide = (WIDTH - NAMES - 16 - GAP * (panels.length - 1)) / panels.length;
  const bands = names.map(({ base }, i) =>
    base
      ? `<rect x="0" y="${TOP + ROW * i}" width="${WIDTH}" height="${ROW}" fill="#f3f1eb"/>`
      : "",
  );
  const labels = names.map(({ name, base }, i) =>
    text(NAMES - 16, TOP + ROW * (i + 0.5) + 4, name, { anchor: "end", weight: base ? 600 : 400 }),
  );
  const drawn = panels.map((panel, i) => {
    const from = NAMES + i * (wide + GAP);
    return panelSvg(panel, from, from + wide);
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" ${font} font-size="12.5" role="img">`,
    `<title>${escapeText(title)}</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="${colours.paper}"/>`,
    ...bands.filter((band) => band !== ""),
    ...labels,
    ...drawn,
    "</svg>\n",
  ].join("\n");
}
