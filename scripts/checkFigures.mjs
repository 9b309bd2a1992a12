// Fails where code that a figure of bench/results depends on has changed since it was measured, or is not known:
//   node scripts/checkFigures.mjs [FOLDER]
// The newest record of each arm and seed counts. Records without a hash are of unknown code; they are only told in
// the files that older.json of the folder lists, which hold figures of before there was a hash.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";

import { standing } from "./codeOf.mjs";

const results = process.argv[2] ?? join(import.meta.dirname, "..", "bench", "results");
const files = readdirSync(results).filter((name) => name.endsWith(".jsonl"));
const listed = join(results, "older.json");
const older = existsSync(listed) ? JSON.parse(readFileSync(listed, "utf8")) : [];

let [stale, nameless] = [0, 0];
for (const file of files) {
  const lines = readFileSync(join(results, file), "utf8").split("\n");
  const records = lines.filter((line) => line !== "").map((line) => JSON.parse(line));
  const newest = new Map(records.map((record) => [`${record.arm}, seed ${record.seed}`, record]));
  const kinds = { current: [], other: [], unknown: [] };
  const name = basename(file, ".jsonl");
  const subject = name === "doctor" ? "doctor" : "runs";
  for (const [arm, record] of newest) kinds[standing(record, subject)].push(arm);
  const { current, other, unknown } = kinds;
  stale += other.length;
  if (!older.includes(name)) nameless += unknown.length;
  const more = other.length > 0 ? `: ${other.join("; ")}` : "";
  const counts = `${current.length} current, ${unknown.length} of unknown code, ${other.length} of other code${more}`;
  console.log(`${name}: ${counts}`);
}
if (stale > 0) {
  console.error(
    `${stale} figures were measured with other code: node bench/experiments.mjs NAME --stale measures them again, node bench/doctor.mjs those of the doctor`,
  );
}
if (nameless > 0) {
  console.error(`${nameless} figures do not say what code they were measured with`);
}
if (stale + nameless > 0) process.exitCode = 1;
