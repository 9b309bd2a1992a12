// Marks figures as those of the code as it is, after a change that leaves them as they are:
//   node scripts/restampFigures.mjs NAME... --before CHECKOUT --why TEXT
// NAME is a file of bench/results without .jsonl, CHECKOUT a folder with the code before the change. Only records of exactly
// that code are marked; each keeps the hash it was measured with and the reason. Repeat a run or two beforehand: they are
// the same to the bit where the reason is true.
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

import { codeOf } from "./codeOf.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { before: { type: "string" }, why: { type: "string" } },
});
const { before, why } = values;
if (positionals.length === 0 || !before || !why) {
  throw new Error("expected NAME... --before CHECKOUT --why TEXT");
}
const old = await import(resolve(before, "scripts", "codeOf.mjs"));

for (const name of positionals) {
  const subject = name === "doctor" ? "doctor" : "runs";
  const file = join(import.meta.dirname, "..", "bench", "results", `${name}.jsonl`);
  const records = readFileSync(file, "utf8").trim().split("\n");
  let marked = 0;
  const lines = records.map((line) => {
    const { code, restamped = [], ...record } = JSON.parse(line);
    const { parts } = record;
    if (parts === undefined || code !== old.codeOf(parts, subject)) return line;
    const now = codeOf(parts, subject);
    if (now === code) return line;
    marked++;
    return JSON.stringify({ ...record, code: now, restamped: [...restamped, { from: code, why }] });
  });
  writeFileSync(`${file}.tmp`, `${lines.join("\n")}\n`);
  renameSync(`${file}.tmp`, file);
  console.log(`${name}: ${marked} of ${records.length} records marked`);
}
