import { duration } from "../markup/figures.ts";
import { readableJson } from "../markup/readableJson.ts";
import { html, type Html, type HtmlPart } from "../markup/html.ts";
import type { ReportData } from "../reportData.ts";
import { collapsible, factList, section, type Section } from "./section.ts";

/** What it takes to get the same run again: command, seed, versions, machine, config. */
export function repeat(data: ReportData): Section | undefined {
  const lists = [
    timings(data.timings),
    factGroup("Seed and versions", seedAndVersions(data)),
    factGroup("Machine", Object.entries(data.machine ?? {})),
  ].filter((list) => list !== undefined);
  const parts = [
    data.command !== undefined && html`<pre class="command"><code>${data.command}</code></pre>`,
    lists.length > 0 && html`<div class="columns">${lists}</div>`,
    data.config !== undefined &&
      collapsible("Resolved config", html`<pre><code>${readableJson(data.config)}</code></pre>`),
  ].filter((part) => part !== false);
  if (parts.length === 0) return undefined;
  return section("repeat", "Repeat this run", undefined, parts);
}

const seedAndVersions = ({ seed, versions }: ReportData): (readonly [string, HtmlPart])[] => [
  ...(seed === undefined ? [] : [["seed", seed] as const]),
  ...Object.entries(versions ?? {}),
];

function factGroup(
  title: string,
  facts: readonly (readonly [string, HtmlPart])[],
): Html | undefined {
  if (facts.length === 0) return undefined;
  return html`<div>
    <h3>${title}</h3>
    ${factList(facts)}
  </div>`;
}

function timings(given: ReportData["timings"] = []): Html | undefined {
  return factGroup(
    "Time taken",
    given.map(({ name, seconds }) => [name, duration(seconds)]),
  );
}
