import { counted } from "../core/counted.ts";
import {
  baselinesOf,
  type Comparison,
  factsOf,
  isLabelled,
  type Table,
  tablesOf,
} from "../compare/index.ts";
import { LEAST_SEEDS } from "../metrics/index.ts";
import { intervalChart, type IntervalRow } from "./charts/intervalChart.ts";
import { grouped } from "./markup/figures.ts";
import { html, type Html } from "./markup/html.ts";
import { renderPage } from "./page.ts";
import { factList, section, type Section } from "./sections/section.ts";

/** The whole comparison as one HTML file that needs nothing else. Pure: the same data, the same page. */
export function renderComparison(all: Comparison): string {
  const tables = tablesOf(all).map(tableSection);
  const sections = [
    ...[outcome(all), differences(all), ...tables, failures(all), goOn(all)],
  ].filter((part) => part !== undefined);
  return renderPage({
    title: `${titleOf(all)} – Contrapose comparison`,
    header: header(all),
    sections,
    numbers: "compare.json",
  });
}

const MOST_NAMED = 5;

function titleOf({ arms }: Comparison): string {
  const names = arms.map(({ name }) => name);
  if (names.length <= MOST_NAMED) return names.join(", ");
  return `${names.slice(0, MOST_NAMED - 1).join(", ")} and ${names.length - MOST_NAMED + 1} more`;
}

function header(all: Comparison): Html {
  return html`<header>
    <p class="kind">Comparison over ${all.seeds.length} seed${all.seeds.length !== 1 && "s"}</p>
    <h1 class="names">${titleOf(all)}</h1>
    ${all.conclusion.length > 0 && html`<p class="lead">${all.conclusion.join(" ")}</p>`}
    ${factList(factsOf(all))}
  </header>`;
}

const points = (value: number, digits = 1) => grouped(100 * value, digits);
const percents = {
  format: (value: number) => `${points(value)}\u00a0%`,
  formatTick: (value: number, digits: number) => `${points(value, Math.max(0, digits - 2))}\u00a0%`,
};
const withSign = (text: string, value: number) => (value > 0 ? `+${text}` : text);
const differencesFormat = {
  format: (value: number) => withSign(points(value), value),
  formatTick: (value: number, digits: number) =>
    withSign(points(value, Math.max(0, digits - 2)), value),
};

/** The k-NN accuracy that verdicts are about, of every arm; `undefined` without labels. */
function outcome(all: Comparison): Section | undefined {
  if (!isLabelled(all)) return undefined;
  const rows = all.arms.flatMap(({ name, measures: { [all.judged]: knn } }): IntervalRow[] => {
    if (knn === undefined) return [];
    const half = knn.n < LEAST_SEEDS ? null : knn.half;
    return [{ name, values: Object.values(knn.bySeed), mean: knn.mean, half }];
  });
  const marks = baselinesOf(all.baselines).flatMap(([name, { [all.judged]: knn }]) =>
    typeof knn !== "number" ? [] : [{ name, value: knn }],
  );
  const title = all.judged === "knn" ? "k-NN accuracy" : "Balanced k-NN accuracy";
  const about =
    "A dot is a seed, the line its mean, the bar the 95 % interval of the mean over seeds, from three on. Dashed: what learned nothing. Bars that overlap do not settle whether arms differ: seeds are paired below.";
  return section("knn", title, about, intervalChart(rows, percents, false, marks));
}

const said: Record<string, string> = {
  better: "better",
  worse: "worse",
  none: "no difference shown",
  few: "too few seeds",
  early: "not all seeds yet",
  control: "control",
};

/** Paired differences of that accuracy to the base. */
function differences(all: Comparison): Section | undefined {
  const { base, comparisons } = all;
  const rows = all.arms.flatMap(
    ({ name, measures: { [all.judged]: knn }, verdict }): IntervalRow[] => {
      const difference = knn?.difference ?? undefined;
      if (difference === undefined) return [];
      const called = verdict === "better" || verdict === "worse";
      const { mean, n } = difference;
      const half = n < LEAST_SEEDS ? null : difference.half;
      return [{ name, mean, half, note: said[verdict ?? ""], accent: called }];
    },
  );
  if (rows.length === 0) return undefined;
  const corrected =
    comparisons > 1 ? `, wide enough that all ${comparisons} hold together (Bonferroni)` : "";
  const about = `Percentage points to ${base} over the seeds that both have, with 95 % intervals${corrected}. A difference is called better or worse only where its interval leaves 0 out, of three seeds or more, and once all seeds are done.`;
  return section(
    "differences",
    `Beside ${base}`,
    about,
    intervalChart(rows, differencesFormat, true),
  );
}

function tableSection({ id, title, intro, head, rows, meanings = [] }: Table): Section {
  const [corner, ...names] = head;
  const table = html`<div class="scroll" tabindex="0" role="region" aria-label="${title}">
    <table class="measures comparison">
      <thead>
        <tr>
          <th scope="col">${corner}</th>
          ${names.map((name) => html`<th scope="col">${name}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ([name, ...figures]) =>
            html`<tr>
              <th scope="row">${name}</th>
              ${figures.map((figure, i) => html`<td data-subject="${names[i]}">${figure}</td>`)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
  return section(id, title, intro, [
    table,
    meanings.length > 0 && html`<div class="meanings">${factList(meanings)}</div>`,
  ]);
}

function failures({ runs: { failed } }: Comparison): Section | undefined {
  if (failed.length === 0) return undefined;
  const facts = failed.map(({ arm, seed, error }) => [`${arm} seed ${seed}`, error] as const);
  return section("failed", "Runs that failed", undefined, factList(facts));
}

function goOn({ runs: { total, done }, command, contrapose }: Comparison): Section {
  const about =
    done < total
      ? `${done} of ${counted(total, "run")} ${total === 1 ? "is" : "are"} done. The same command goes on; what is done is not repeated.`
      : "The same command finds every run done and writes this page anew; more seeds or methods are added to it.";
  const body = html`<pre class="command"><code>${command}</code></pre>
    <p class="note">
      Contrapose ${contrapose}. Runs, with their configs and curves, are in runs.
    </p>`;
  return section("repeat", done < total ? "Go on" : "Repeat", about, body);
}
