import { existsSync } from "node:fs";

import { ConfigError } from "../../core/errors.ts";
import type { ValueReader } from "./values.ts";

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
  if (overwrite || !existsSync(out)) return out;
  throw new ConfigError(
    `${verb}: ${JSON.stringify(out)} exists`,
    "choose another --out, or --overwrite",
  );
}
