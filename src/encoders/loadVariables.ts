import { type HostArray, type HostRecord, sizeOf, zeros } from "../core/arrays.ts";
import type { HostVariables } from "./network.ts";

/** What came of loading weights, by the names of the target (`unexpected`: of the source). */
export type LoadReport = {
  loaded: string[];
  missing: string[];
  unexpected: string[];
  wrongShape: { name: string; expected: readonly number[]; found: readonly number[] }[];
  /** What stood in front of names that were loaded, as `module.encoder_q.`. */
  wrappers: string[];
};

const prefixes = ["module.", "encoder_q.", "encoder.", "backbone.", "model.", "state_dict."];
const known = (name: string) => name.endsWith("num_batches_tracked");

/** The name without wrappers that other programs put in front. */
function bare(name: string): string {
  const prefix = prefixes.find((candidate) => name.startsWith(candidate));
  return prefix === undefined ? name : bare(name.slice(prefix.length));
}

function asFloat32(source: HostArray): HostArray<"float32"> {
  const array = zeros(source.shape);
  array.data.set(source.data);
  return array;
}

/**
 * Takes over the weights of a record into a copy of `target`, by name.
 *
 * Wrappers in front of names (`module.`, `encoder_q.`, `encoder.`, `backbone.`, `model.`) are looked through; an exact
 * name wins over a wrapped one. What does not fit stays as it was and is reported; a classifier
 * (`fc.*`, `head.*`) shows up as unexpected.
 */
export function loadVariables(
  target: HostVariables,
  source: HostRecord,
): { variables: HostVariables; report: LoadReport } {
  const byName = new Map(Object.keys(source).map((name) => [bare(name), name]));
  for (const name of Object.keys(source)) byName.set(name, name);
  const report: LoadReport = {
    loaded: [],
    missing: [],
    unexpected: [],
    wrongShape: [],
    wrappers: [],
  };
  const used = new Set<string>();
  const wrappers = new Set<string>();
  const fill = (record: HostRecord): HostRecord =>
    Object.fromEntries(
      Object.entries(record).map(([name, old]) => {
        const from = byName.get(name);
        if (from === undefined) {
          report.missing.push(name);
          return [name, old];
        }
        used.add(from);
        const found = source[from];
        if (!sameShape(old.shape, found.shape)) {
          report.wrongShape.push({ name, expected: old.shape, found: found.shape });
          return [name, old];
        }
        report.loaded.push(name);
        if (from !== name) wrappers.add(from.slice(0, -name.length));
        return [name, asFloat32(found)];
      }),
    );
  const variables = { parameters: fill(target.parameters), statistics: fill(target.statistics) };
  report.wrappers = [...wrappers];
  report.unexpected = Object.keys(source).filter((name) => !used.has(name) && !known(name));
  return { variables, report };
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return sizeOf(a) === sizeOf(b) && a.length === b.length && a.every((size, i) => size === b[i]);
}
