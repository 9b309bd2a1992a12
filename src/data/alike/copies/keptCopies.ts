import { readFileSync } from "node:fs";
import { join } from "node:path";

import { z } from "zod";

import { parseJson } from "../../../core/json.ts";
import { writeFileAtomic } from "../../../files/index.ts";
import type { PackedDataset } from "../../packed/openDataset.ts";
import { type CopiesAcross, copiesAcross } from "./copiesAcross.ts";
import { SEARCH } from "./findCopies.ts";

type Written = { format: number; train: string; test: string; original: number[] };

const written: z.ZodType<Written> = z.object({
  format: z.literal(SEARCH),
  train: z.string(),
  test: z.string(),
  original: z.array(z.int().min(-1)),
});

/** What was found before of these very sets; undefined where nothing was kept, or nothing that can be read. */
function readKept(path: string, train: PackedDataset, test: PackedDataset) {
  let kept: Written | undefined;
  try {
    kept = written.safeParse(parseJson(readFileSync(path, "utf8"))).data;
  } catch {
    return undefined;
  }
  if (kept?.train !== train.fingerprint || kept.test !== test.fingerprint) return undefined;
  const { original } = kept;
  const fits = original.length === test.count && original.every((image) => image < train.count);
  return fits ? Int32Array.from(original) : undefined;
}

/**
 * `copiesAcross`, searched for once for each pair of sets: what it finds is kept beside the packed test images, as long
 * as these can be written to.
 */
export async function keptCopies(
  train: PackedDataset,
  test: PackedDataset,
  signal?: AbortSignal,
): Promise<CopiesAcross> {
  const path = join(test.path, `copies-${train.fingerprint.slice(0, 12)}.json`);
  const kept = readKept(path, train, test);
  if (kept !== undefined) return { original: kept, count: kept.filter((from) => from >= 0).length };
  const found = await copiesAcross(train, test, signal);
  const about: Written = {
    format: SEARCH,
    train: train.fingerprint,
    test: test.fingerprint,
    original: [...found.original],
  };
  await writeFileAtomic(path, `${JSON.stringify(about)}\n`).catch(() => undefined);
  return found;
}
