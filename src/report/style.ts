/** The look of a report: light, dark and on paper. Refers to nothing outside. */
export const style = `
:root {
  color-scheme: light dark;
  --paper: #fcfbf8; --ink: #1d2023; --soft: #5b6066; --line: #dedbd3; --panel: #f3f1eb;
  --accent: #0b6a67; --plain: #8f9291; --muted: #6b6f73;
  --serif: "Iowan Old Style", "Palatino Linotype", Palatino, "Source Serif 4", Georgia, serif;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  --mono: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #15181a; --ink: #e9e7e1; --soft: #a6abaf; --line: #33383b; --panel: #1d2123;
    --accent: #57c3ba; --plain: #666c70; --muted: #92989c;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 var(--sans); font-variant-numeric: tabular-nums;
}
.page { max-width: 64rem; margin: 0 auto; padding: 4.5rem 1.75rem 6rem; }
h1, h2, h3, p, ul, dl, dd, figure, pre { margin: 0; padding: 0; }
h1, h2 { font-family: var(--serif); font-weight: 500; letter-spacing: -0.01em; text-wrap: balance; }
h1 { font-size: clamp(2rem, 5vw, 3rem); line-height: 1.1; overflow-wrap: anywhere; }
h2 { font-size: 1.65rem; line-height: 1.2; }
h3 { font-size: 0.95rem; font-weight: 600; }
h3 small, dt, .note, .intro, small, figcaption { color: var(--soft); }
small { font-size: 0.8125rem; font-weight: 400; }
a { color: inherit; text-underline-offset: 0.2em; }
a:focus-visible, summary:focus-visible, .scroll:focus-visible { outline: 2px solid var(--accent); outline-offset: 3px; }
.kind { color: var(--accent); font-size: 0.875rem; font-weight: 600; margin-bottom: 0.75rem; }
.lead { font-size: 1.125rem; color: var(--soft); margin-top: 0.9rem; max-width: 46rem; overflow-wrap: anywhere; }
.outcome { color: var(--ink); }
.warning { border-left: 3px solid var(--accent); padding: 0.15rem 0 0.15rem 0.9rem; margin-bottom: 1.5rem; max-width: 44rem; }
header .facts { margin-top: 2rem; }
nav { margin-top: 2rem; border-block: 1px solid var(--line); padding: 0.7rem 0; }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: 0.25rem 1.6rem; font-size: 0.9rem; }
nav a { text-decoration: none; color: var(--soft); }
nav a:hover { color: var(--ink); text-decoration: underline; }
section { padding-top: 4.5rem; }
.intro span { display: inline-block; }
.intro { margin-top: 0.6rem; max-width: 44rem; overflow-wrap: anywhere; }
.note { font-size: 0.875rem; max-width: 44rem; }
h2 + *:not(.intro), .intro + * { margin-top: 1.75rem; }
.facts { display: flex; flex-wrap: wrap; gap: 1.1rem 2.75rem; }
.facts dt { font-size: 0.8125rem; }
.facts dd { overflow-wrap: anywhere; }

.hero { display: flex; align-items: baseline; flex-wrap: wrap; gap: 0 1rem; color: var(--soft); margin-bottom: 1.5rem; }
.hero b { font: 500 clamp(3.5rem, 10vw, 5.5rem)/1 var(--serif); color: var(--accent); letter-spacing: -0.03em; }
.hero b span { font-size: 0.5em; letter-spacing: 0; }
.bars { list-style: none; }
.bars li { display: grid; grid-template-columns: 10rem 1fr 12.5rem; gap: 0 1.25rem; align-items: center; }
.bars svg { display: block; overflow: visible; }
.bars .accent .bar-name, .bars .accent b { font-weight: 650; }
.bars .plain b { font-weight: 400; }
.bars .scale svg { grid-column: 2; }
.bar-value small { margin-left: 0.35rem; white-space: nowrap; }
.bars .note, .bars + .note { margin-top: 1rem; }
.bar { fill: var(--plain); } .accent .bar { fill: var(--accent); }
.whisker line { stroke: var(--ink); stroke-width: 1.5; }
.whisker .halo line { stroke: var(--paper); stroke-width: 4.5; stroke-linecap: square; }
.bars text, .chart text { fill: var(--soft); font: 12px var(--sans); }
.grid { stroke: var(--line); stroke-width: 1; shape-rendering: crispEdges; }
.mark { stroke: var(--soft); stroke-dasharray: 4 4; }
.mark-dot { fill: none; stroke: var(--soft); stroke-width: 1.5; }
.floor { stroke: var(--muted); shape-rendering: crispEdges; }

.measures { border-collapse: collapse; width: 100%; }
.measures th, .measures td { text-align: right; vertical-align: top; padding: 0.95rem 0 0.95rem 1.5rem; font-weight: 400; border-bottom: 1px solid var(--line); }
.measures thead th { color: var(--soft); font-size: 0.8125rem; padding-block: 0 0.5rem; vertical-align: bottom; }
.measures th:first-child { text-align: left; padding-left: 0; }
.measures tbody th { font-weight: 600; max-width: 27rem; }
.measures tbody th p { font-weight: 400; font-size: 0.875rem; line-height: 1.45; color: var(--soft); margin-top: 0.2rem; }
.measures thead th + th { width: 7.25rem; }
.measures td { white-space: nowrap; } .measures td small { display: block; color: var(--soft); }
.measures .trained { font-weight: 650; color: var(--accent); }
.none { color: var(--muted); }
.names { font-size: clamp(1.75rem, 4vw, 2.4rem); }
.scroll { overflow-x: auto; }
.comparison { font-size: 0.9rem; }
.comparison th, .comparison td { padding-block: 0.6rem; }
.comparison thead th + th { width: auto; min-width: 4.5rem; }
.comparison th:first-child { position: sticky; left: 0; background: var(--paper); min-width: 8rem; }
.meanings .facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 17rem), 1fr)); gap: 0.9rem 2rem; margin-top: 1.75rem; font-size: 0.875rem; }
.meanings .facts dt { color: var(--ink); font-weight: 600; } .meanings .facts dd { color: var(--soft); line-height: 1.45; }
.noted li { grid-template-columns: 10rem 1fr 20.5rem; }
.intervals .reach { stroke: var(--plain); stroke-width: 9; stroke-opacity: 0.45; }
.intervals .accent .reach { stroke: var(--accent); }
.intervals .mean { stroke: var(--ink); stroke-width: 2; } .intervals .accent .mean { stroke: var(--accent); }
.intervals .seed { fill: var(--paper); stroke: var(--muted); stroke-width: 1.25; }

.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 26rem), 1fr)); gap: 2.5rem 2.25rem; }
.chart { min-width: 0; display: flex; flex-direction: column; justify-content: space-between; }
.chart > svg { display: block; width: 100%; height: auto; margin-top: 0.6rem; overflow: visible; }
.chart figcaption { display: flex; flex-wrap: wrap; align-items: baseline; justify-content: space-between; gap: 0.1rem 1rem; }
.chart h3 { color: var(--ink); }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 0 1rem; font-size: 0.8125rem; }
.legend b { font-weight: 500; color: var(--ink); }
.swatch { margin-right: 0.4rem; }
.line { fill: none; stroke-width: 1.75; stroke-linejoin: round; stroke-linecap: round; }
.line.accent { stroke: var(--accent); } .line.ink { stroke: var(--ink); } .line.muted { stroke: var(--muted); }
.line.dashed { stroke-dasharray: 5 4; stroke-linecap: butt; }
.dot.accent, .band.accent { fill: var(--accent); } .dot.ink, .band.ink { fill: var(--ink); }
.dot.muted, .band.muted { fill: var(--muted); }
.band { opacity: 0.16; }
.hit { fill: transparent; } .chart .hit:hover { fill: var(--ink); opacity: 0.08; }

.strips { display: grid; gap: 1.75rem; }
.strip { display: grid; grid-template-columns: repeat(var(--columns), minmax(0, 7rem)); gap: 0.9rem; }
.strip figure { min-width: 0; }
.strip .first { position: relative; }
.strip .first::after { content: ""; position: absolute; inset: 0 calc(-0.45rem - 0.5px) 0 auto; border-right: 1px solid var(--line); }
.strip img { display: block; width: 100%; aspect-ratio: 1; object-fit: contain; background: var(--panel); border-radius: 3px; }
.strip figcaption { font-size: 0.75rem; line-height: 1.35; margin-top: 0.45rem; overflow-wrap: anywhere; }
.strip .first figcaption { color: var(--ink); font-weight: 600; }
.strip figcaption small { display: block; font-size: inherit; }
.strip .other figcaption { color: var(--ink); font-weight: 600; }
.strip .other img { outline: 2px dashed var(--ink); outline-offset: 2px; }

.asked { display: grid; grid-template-columns: minmax(9rem, 15rem) 1fr; gap: 2.25rem; align-items: start; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(8.75rem, 1fr)); gap: 1.6rem 1.1rem; }
.card { min-width: 0; }
.card img, .card .gone { display: block; width: 100%; aspect-ratio: 1; object-fit: contain; background: var(--panel); border-radius: 4px; }
.card a { display: block; border-radius: 4px; } .card a:hover img { outline: 2px solid var(--accent); outline-offset: 2px; }
.card .gone { display: grid; place-items: center; color: var(--muted); font-size: 0.8125rem; }
.card figcaption { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 0.6rem; font-size: 0.8125rem; line-height: 1.4; margin-top: 0.5rem; }
.card figcaption b { font-weight: 600; color: var(--ink); overflow-wrap: anywhere; }
.card figcaption small { flex-basis: 100%; font-size: 0.75rem; overflow-wrap: anywhere; }
.card figcaption small { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 3; overflow: hidden; }
.card.first img { outline: 2px solid var(--accent); outline-offset: 2px; }
.query figcaption { display: none; }
.groups { display: flex; flex-wrap: wrap; gap: 2.75rem 2.5rem; }
.group { padding: 0; width: calc(var(--columns) * 8.75rem + (var(--columns) - 1) * 1.1rem); max-width: 100%; }
.group .cards { grid-template-columns: repeat(auto-fill, minmax(min(7.5rem, 100%), 1fr)); }
.differences { margin-top: 1rem; font-size: 0.8125rem; } .differences summary { cursor: pointer; color: var(--muted); }
.difference { margin: 0.9rem 0 0; }
.difference img { display: block; width: 100%; border-radius: 4px; } .difference figcaption { margin-top: 0.35rem; overflow-wrap: anywhere; }
.group h3 { font-size: 1rem; margin-bottom: 0.9rem; } .group h3 small { margin-left: 0.5rem; }

details { border-block: 1px solid var(--line); padding: 0.7rem 0; }
summary { cursor: pointer; font-weight: 500; }
details[open] summary { margin-bottom: 1rem; }
details h3 { margin: 1.25rem 0 0.35rem; overflow-wrap: anywhere; }
.paths { list-style: none; columns: 20rem; column-gap: 2rem; }
.paths li { overflow-wrap: anywhere; break-inside: avoid; }
code, pre { font-family: var(--mono); font-size: 0.8125rem; line-height: 1.6; }
pre { background: var(--panel); border-radius: 4px; padding: 1rem 1.15rem; white-space: pre-wrap; overflow-wrap: anywhere; }
.command { user-select: all; }
#repeat > * + * { margin-top: 1.75rem; }
.columns { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 16rem), 1fr)); gap: 2rem 2.75rem; }
.columns .facts { display: grid; gap: 0; margin-top: 0.5rem; }
.columns .facts div { display: flex; justify-content: space-between; gap: 1.5rem; border-bottom: 1px solid var(--line); padding: 0.35rem 0; font-size: 0.875rem; }
.columns .facts dt { font-size: inherit; } .columns .facts dd { text-align: right; }
footer { margin-top: 5rem; color: var(--soft); font-size: 0.8125rem; }

@media screen and (max-width: 44rem) {
  .page { padding: 2.5rem 1.15rem 4rem; }
  section { padding-top: 3.5rem; }
  .chart text { font-size: 14.5px; }
  .asked { grid-template-columns: 1fr; gap: 1.5rem; } .query { max-width: 12rem; }
  .cards { grid-template-columns: repeat(auto-fill, minmax(6.5rem, 1fr)); gap: 1.2rem 0.8rem; }
  .strip { grid-template-columns: repeat(3, minmax(0, 7rem)); }
  .bars li, .noted li { grid-template-columns: 1fr auto; padding-top: 0.6rem; }
  .bars svg { grid-row: 2; grid-column: 1 / -1; } .bars .scale { padding: 0; } .bars .scale svg { grid-column: 1 / -1; }
  .measures thead { display: block; position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .measures tr { display: block; padding: 1rem 0; border-bottom: 1px solid var(--line); }
  .measures tbody th, .measures td { display: block; padding: 0; border: 0; max-width: none; }
  .measures td { display: flex; gap: 0.6rem; padding-top: 0.35rem; align-items: baseline; }
  .measures td:has(.none), .measures td:empty { display: none; }
  .scroll { overflow-x: visible; } .comparison th:first-child { position: static; }
  .measures td::before { content: attr(data-subject); flex: 1; text-align: left; font-weight: 400; color: var(--soft); }
}
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
@media print {
  :root { --paper: #fff; }
  @page { margin: 16mm; }
  body { font-size: 10pt; } .page { padding: 0; max-width: none; } nav { display: none; }
  section { padding-top: 2.2rem; } h2, h3 { break-after: avoid; }
  .chart, .strip, .card, tr, .bars, .facts div { break-inside: avoid; }
  .charts { grid-template-columns: 1fr 1fr; gap: 1.2rem 1.5rem; }
  .measures thead th + th { width: 5rem; } .measures th, .measures td { padding-left: 0.9rem; }
  pre { border: 1px solid var(--line); }
  details::details-content { content-visibility: visible; block-size: auto; }
}
`;
