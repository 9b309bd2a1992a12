// Duplicates by pixels: how many of the planted ones does `contrapose dedupe ./folder` find, and what does it make of
// files that are broken?
// npm run build && node bench/dedupe.mjs --images FOLDER [--share 0.2] [--copies 2] [--broken 0.1] [--seed 0]
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { changes, plant, score } from "./planted.mjs";

const { values } = parseArgs({
  options: {
    images: { type: "string" },
    share: { type: "string", default: "0.2" },
    copies: { type: "string", default: "2" },
    broken: { type: "string", default: "0.1" },
    seed: { type: "string", default: "0" },
  },
});
if (values.images === undefined) {
  console.error("node bench/dedupe.mjs --images FOLDER");
  process.exit(2);
}
const [share, copies, broken, seed] = [
  ...[values.share, values.copies, values.broken, values.seed].map(Number),
];

const main = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "contrapose-dedupe-"));
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));

const folder = join(scratch, "images");
const truth = await plant(values.images, folder, { share, copies, broken, seed });
const started = performance.now();
const args = ["dedupe", folder, "--out", join(scratch, "page.html"), "--json", "--quiet"];
const out = execFileSync(process.execPath, [main, ...args], {
  ...{ encoding: "utf8", maxBuffer: 2 ** 28, stdio: ["ignore", "pipe", "inherit"] },
});
const seconds = (performance.now() - started) / 1000;
const { images, groups, skipped } = JSON.parse(out);

const percent = (x) => `${(100 * x).toFixed(1)} %`;
const found = groups.map((group) => group.images.map(({ id }) => id));
const paths = truth.map((group) => group.map(({ path }) => path));
const { pairs, precision, recall } = score(found, paths);
const planted = Math.round(broken * truth.length);
console.log(`${images} images, decoded and compared in ${seconds.toFixed(1)} s`);
console.log(`${skipped.length} files listed as broken, of ${planted} that are`);
console.log(`${pairs} true pairs: precision ${percent(precision)}, recall ${percent(recall)}\n`);
console.log("| copy | planted | found with its original |");
console.log("| --- | --- | --- |");
const place = new Map(found.flatMap((group, i) => group.map((id) => [id, i])));
for (const kind of Object.keys(changes)) {
  const made = truth.flatMap(([original, ...rest]) =>
    rest.filter((copy) => copy.kind === kind).map(({ path }) => [original.path, path]),
  );
  const right = made.filter(([a, b]) => place.has(a) && place.get(a) === place.get(b));
  const part = made.length === 0 ? "" : percent(right.length / made.length);
  console.log(`| ${kind} | ${made.length} | ${part} |`);
}
