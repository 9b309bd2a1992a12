import { existsSync } from "node:fs";
import { resolve } from "node:path";

import { ConfigError } from "../../core/errors.ts";
import { quoted } from "../../core/quote.ts";
import type { Call } from "../verb.ts";
import { type ValueReader, valueReader } from "./values.ts";

/** Refuses a file to write that is there already, unless it may be overwritten. */
export function refuseExisting(
  verb: string,
  path: string,
  overwrite: boolean,
  option = "--out",
): void {
  if (overwrite || !existsSync(path)) return;
  throw new ConfigError(
    `${verb}: ${quoted(path)} exists`,
    `choose another ${option}, or --overwrite`,
  );
}

/** Where the page of a run goes: its own file, which is replaced, or `--out`, which must not be there yet. */
export function runPagePath(verb: string, own: string, { options }: Pick<Call, "options">): string {
  const out = valueReader(verb, options).text("out") ?? own;
  if (resolve(out) !== resolve(own)) refuseExisting(verb, out, options.overwrite === true);
  return out;
}

/**
 * Where a page of results goes: `--out`, which must not be there yet, or beside the embeddings, where an
 * earlier one of the same verb is replaced.
 */
export function pagePath(
  verb: string,
  values: ValueReader,
  { beside, overwrite }: { beside: string; overwrite: boolean },
): string {
  const out = values.text("out");
  if (out === undefined) return `${beside.replace(/\.(parquet|npy)$/i, "")}.${verb}.html`;
  refuseExisting(verb, out, overwrite);
  return out;
}

/** `most` of many things for a page, the first and others evenly spread over the rest, so that a mixture shows. */
export function spread<T>(all: readonly T[], most: number): readonly T[] {
  if (all.length <= most) return all;
  return Array.from({ length: most }, (_, i) => all[Math.floor((i * all.length) / most)]);
}
