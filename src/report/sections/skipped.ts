import { counted, grouped } from "../markup/figures.ts";
import { html, type Html } from "../markup/html.ts";
import type { ReportData, SkippedFile } from "../reportData.ts";
import { collapsible, section, type Section } from "./section.ts";

const SHOWN = 500; // files listed at most

/** Files that training went without, the commonest reason first. */
export function skipped(files: ReportData["skipped"] = []): Section | undefined {
  if (files.length === 0) return undefined;
  const listed = files.slice(0, SHOWN);
  const groups = groupedByReason(listed);
  groups.sort(([, a], [, b]) => b.length - a.length);
  const rest = files.length - listed.length;
  const body = html`${groups.map(([reason, members]) => reasonGroup(reason, members))}
  ${rest > 0 && html`<p class="note">${counted(rest, "further file")}, not listed here: report.json has them all.</p>`}`;
  return section(
    "skipped",
    "Skipped files",
    `${counted(files.length, "file")} could not be used.`,
    collapsible("Paths, by reason", body),
  );
}

function groupedByReason(files: readonly SkippedFile[]): [string, SkippedFile[]][] {
  const groups = new Map<string, SkippedFile[]>();
  for (const file of files) {
    const group = groups.get(file.reason);
    if (group) group.push(file);
    else groups.set(file.reason, [file]);
  }
  return [...groups];
}

const reasonGroup = (reason: string, files: readonly SkippedFile[]): Html =>
  html`<h3>${reason} <small>${grouped(files.length)}</small></h3>
    <ul class="paths">
      ${files.map(({ path }) => html`<li><code>${path}</code></li>`)}
    </ul>`;
