// Fails where code that a figure of bench/results depends on has changed since it was measured:
//   node scripts/checkFigures.mjs
// The newest record of each arm and seed counts. Records without a hash are of unknown code: they are told, no more.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";

import { standing } from "./codeOf.mjs";

const results = join(import.meta.dirname, "..", "bench", "results");
const files = existsSync(results)
  ? readdirSync(results).filter((name) => name.endsWith(".jsonl"))
  : [];

let stale = 0;
for (const file of files) {
  const lines = readFileSync(join(results, file), "utf8").split("\n");
  const records = lines.filter((line) => line !== "").map((line) => JSON.parse(line));
  const newest = new Map(records.map((record) => [`${record.arm}, seed ${record.seed}`, record]));
  const kinds = { current: [], other: [], unknown: [] };
  for (const [name, record] of newest) kinds[standing(record)].push(name);
  const { current, other, unknown } = kinds;
  stale += other.length;
  const more = other.length > 0 ? `: ${other.join("; ")}` : "";
  const counts = `${current.length} current, ${unknown.length} of unknown code, ${other.length} of other code${more}`;
  console.log(`${basename(file, ".jsonl")}: ${counts}`);
}
if (stale > 0) {
  console.error(
    `${stale} figures were measured with other code: node bench/experiments.mjs NAME --stale measures them again`,
  );
  process.exit(1);
}
