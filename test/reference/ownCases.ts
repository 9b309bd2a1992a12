import { lossDrafts } from "./ownDrafts.ts";
import { type Draft, type Drafter, numbersOf } from "./ownInputs.ts";
import { ruleDrafts } from "./ownRules.ts";
import { selectionDrafts } from "./ownSelections.ts";
import { viewDrafts } from "./ownViews.ts";
import { references } from "./references.ts";
import type { Expected } from "./standard.ts";

/** A case of the format `contrapose-conformance/1`. */
export type OwnCase = {
  id: string;
  method: string;
  params: Record<string, unknown>;
  inputs: Record<string, unknown>;
  differentiate: string[];
  expect: Expected;
  tolerance: { loss: number; gradient: number };
  source: string;
  note?: string;
};

const sources: Record<string, string> = {
  ntXent: "arXiv:2002.05709, eq. 1",
  infoNce: "arXiv:1807.03748, eq. 4; arXiv:1911.05722, eq. 1",
  instDiscNce: "arXiv:1805.01978, eq. 7",
  instDiscSoftmax: "arXiv:1805.01978, eq. 2",
  supCon: "arXiv:2004.11362, eq. 2 and 3",
  debiased: "arXiv:2007.00224, eq. 8",
  hardNegative: "arXiv:2010.04592, eq. 4",
  mochi: "arXiv:2010.01028, section 3",
  synco: "arXiv:2410.02401, section 3",
  ring: "arXiv:2010.02037, section 3",
  looc: "arXiv:2008.05659, eq. 2",
  fncSelect: "arXiv:2011.11765, section 3",
  fnc: "arXiv:2011.11765, section 3",
  gloFnd: "arXiv:2502.20612, steps as released",
  invariancePropagation: "arXiv:2010.11694, section 3",
  contrastiveCropBox: "arXiv:2202.03278, section 3",
  contrastiveCrop: "arXiv:2202.03278, section 3",
  viewTriage: "a design of this project, after arXiv:2502.08134",
  decoupled: "arXiv:2110.06848, eq. 6",
  nnclr: "arXiv:2104.14548, eq. 2",
  knnVote: "arXiv:1805.01978, section 3.4",
  groups: "this project: near-duplicates are no negatives",
  groupPositives: "arXiv:2101.05224; arXiv:2004.11362, eq. 2",
  labels: "arXiv:2004.11362, eq. 2",
  hardest: "arXiv:2010.02037; arXiv:1503.03832, section 3.2",
  nearest: "after arXiv:2104.14548",
  oracle: "arXiv:2011.11765; mass: arXiv:2502.20612",
  random: "this project: the control at equal rate",
  adnce: "arXiv:2310.11048",
  ifm: "arXiv:2106.11230, section 3",
  rince: "arXiv:2201.04309",
  sigmoid: "arXiv:2303.15343, algorithm 1",
};

/** Every draft by method and slug. */
export const ownDrafts = { ...lossDrafts, ...selectionDrafts, ...viewDrafts, ...ruleDrafts };

/** Outputs that no small change of the inputs may change. */
const decisions = [
  ...["clamped", "topIndices", "members", "mask", "neighbours", "nearest", "hardPositives"],
  ...["hardNegatives", "refreshedNeighbours", "positivesPerStep", "multiset", "indices"],
  ...["demoted", "nearest1", "nearest2", "predictions", "positive", "negative"],
];

/** Every number a little larger or smaller; equal numbers change alike, so that exact ties stay. */
function shaken(nested: unknown, by: number): unknown {
  if (Array.isArray(nested)) return nested.map((inner) => shaken(inner, by));
  if (typeof nested !== "number" || Number.isInteger(nested)) return nested;
  return nested * (1 + by * Math.sin(1e5 * nested + by * 1e6));
}

function compute({ method, params, inputs }: Draft): Expected {
  return references[method](params as never, inputs as never);
}

/** Whether all decisions stay when the inputs change as much as float32 could change them, and more. */
function isSteady(draft: Draft): boolean {
  if (draft.onEdge === true) return true;
  const choices = (expected: Expected) =>
    JSON.stringify(decisions.map((name) => expected[name] ?? null));
  const before = choices(compute(draft));
  return [2e-5, -2e-5, 3e-5].every((by) => {
    const inputs = Object.fromEntries(
      Object.entries(draft.inputs).map(([name, nested]) => [name, shaken(nested, by)]),
    );
    return choices(compute({ ...draft, inputs })) === before;
  });
}

/** The first draft of a drafter that shows what it should and whose decisions are no close calls. */
function drafted(method: string, slug: string, drafter: Drafter): Draft {
  for (let attempt = 0; attempt < 200; attempt++) {
    const draft = { method, slug, ...drafter(numbersOf("conformance", method, slug, attempt)) };
    if ((draft.accept?.(compute(draft)) ?? true) && isSteady(draft)) return draft;
  }
  throw new Error(`${method}/${slug}: no draft shows what it should without a close call`);
}

/** Numbers with 12 significant digits. */
function rounded(nested: unknown): unknown {
  if (typeof nested === "number") return Number(nested.toPrecision(12));
  if (Array.isArray(nested)) return nested.map(rounded);
  if (typeof nested !== "object" || nested === null) return nested;
  return Object.fromEntries(Object.entries(nested).map(([name, inner]) => [name, rounded(inner)]));
}

function finished(draft: Draft): OwnCase {
  const { method, slug, params, inputs, note, constant = false } = draft;
  const { gradients, ...expected } = compute(draft);
  const temperature = (params.temperature as number | undefined) ?? 1;
  const differentiate = constant || gradients === undefined ? [] : Object.keys(gradients as object);
  return {
    id: `${method}/${slug}`,
    method,
    params,
    inputs,
    differentiate,
    expect: rounded(differentiate.length > 0 ? { ...expected, gradients } : expected) as Expected,
    tolerance: { loss: 2e-5 * Math.max(1, 0.05 / temperature), gradient: 2e-4 },
    source: sources[method],
    ...(note === undefined ? {} : { note }),
  };
}

/** The project's own cases, all methods; the same on every machine. */
export function makeOwnCases(): OwnCase[] {
  const all = Object.entries(ownDrafts);
  return all.flatMap(([method, drafters]) =>
    Object.entries(drafters).map(([slug, drafter]) => finished(drafted(method, slug, drafter))),
  );
}

/** The text of the case file: one case a line. */
export function ownCaseFile(): string {
  const description =
    "Cases of Contrapose's own: made by scripts/makeCases.mjs from the loops in test/reference, in double precision.";
  const head = `{"format": "contrapose-conformance/1",\n"description": ${JSON.stringify(description)},\n`;
  const lines = makeOwnCases().map((one) => JSON.stringify(one));
  return `${head}"cases": [\n${lines.join(",\n")}\n]}\n`;
}
