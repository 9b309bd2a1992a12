import type { Comparison } from "./comparison.ts";
import { factsOf } from "./facts.ts";
import { type Table, tablesOf } from "./tables.ts";

const cell = (text: string): string => text.replace(/\|/g, "\\|");
const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(" | ")} |`;

function tableText({ title, intro, head, rows, meanings = [] }: Table): string {
  const rule = head.map((_, i) => (i === 0 ? "---" : "---:"));
  const table = [line(head), line(rule), ...rows.map(line)].join("\n");
  const said = meanings.map(([name, meaning]) => `- ${name}: ${meaning}`).join("\n");
  return [`## ${title}`, intro, table, ...(said === "" ? [] : [said])].join("\n\n");
}

/** The comparison as Markdown: what compare.md holds. */
export function renderMarkdown(all: Comparison): string {
  const facts = factsOf(all).map(([name, value]) => `- ${name}: ${value}`);
  const failed = all.runs.failed.map(
    ({ arm, seed, error }) => `- ${arm} seed ${seed} failed: ${error}`,
  );
  return `${[
    `# ${all.arms.map(({ name }) => name).join(", ")}`,
    all.conclusion.join(" "),
    [...facts, ...failed].join("\n"),
    ...tablesOf(all).map(tableText),
    `Made by Contrapose ${all.contrapose}; goes on with \`${all.command}\`.`,
  ].join("\n\n")}\n`;
}
