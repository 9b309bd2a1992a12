// Copies by pixels: how many of the planted ones of ten kinds does `contrapose dedupe ./folder` find, how many pairs that
// are none does it link, how long do its processors work, and what does it make of files that are broken?
// npm run build && node bench/dedupe.mjs --images FOLDER [--share 0.4] [--copies 1] [--broken 0] [--seed 0]
//   [--strictness normal] [--side 1500]   (photos are enlarged to this shorter side first, with --first N only so many)
//   [--yardstick "python3 bench/phash.py"] [--rounds 3]   (a command that is given the folder and timed in turn with dedupe)
// Pairs that the folder holds by itself are found first, without planted copies, and count neither way.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { copyKinds, enlarge, pairsOf, plant } from "./planted.mjs";

const { values } = parseArgs({
  options: {
    images: { type: "string" },
    share: { type: "string", default: "0.4" },
    copies: { type: "string", default: "1" },
    broken: { type: "string", default: "0" },
    seed: { type: "string", default: "0" },
    strictness: { type: "string", default: "normal" },
    side: { type: "string" },
    first: { type: "string" },
    yardstick: { type: "string", multiple: true, default: [] },
    rounds: { type: "string", default: "3" },
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

/** Runs a command; gives what it printed and the seconds that processors worked for it. */
function timed(command, args) {
  const quotedArgs = [command, ...args]
    .map((text) => `'${text.replaceAll("'", "'\\''")}'`)
    .join(" ");
  const { stdout, stderr, status } = spawnSync(
    "bash",
    ["-c", `TIMEFORMAT='CPU %U %S'; time ${quotedArgs}`],
    {
      encoding: "utf8",
      maxBuffer: 2 ** 28,
    },
  );
  if (status !== 0) throw new Error(stderr);
  const [, user, system] = /CPU ([\d.]+) ([\d.]+)/.exec(stderr);
  return { stdout, cpu: Number(user) + Number(system) };
}

/** Groups of ids that dedupe finds in a folder. */
function dedupe(folder, name) {
  const args = [
    "dedupe",
    folder,
    "--split",
    "all",
    "--strictness",
    values.strictness,
    "--cache",
    join(scratch, name),
  ];
  const page = ["--out", join(scratch, `${name}.html`), "--json", "--quiet"];
  const { stdout, cpu } = timed(process.execPath, [main, ...args, ...page]);
  const { images, groups, skipped } = JSON.parse(stdout);
  const duplicates = groups.filter(({ kind }) => kind === "identical" || kind === "near");
  const found = duplicates.map((group) => group.images.map(({ id }) => id));
  return { images, skipped, cpu, found };
}

const percent = (x) => `${(100 * x).toFixed(1)} %`;
const stem = (id) => id.replace(/(~\d+-[^/]*)?\.[a-z]+$/i, "");

const source = values.side === undefined ? values.images : join(scratch, "large");
if (values.side !== undefined) {
  const first = Number(values.first ?? Infinity);
  await enlarge(values.images, source, Number(values.side), first);
}
const plainFolder = join(scratch, "plain");
await plant(source, plainFolder, { share: 0 });
const own = new Set(pairsOf(dedupe(plainFolder, "p").found));

const folder = join(scratch, "images");
const truth = await plant(source, folder, { share, copies, broken, seed, by: copyKinds });
const { images, skipped, cpu, found } = dedupe(folder, "i");
let [right, wrong, ownPairs] = [0, 0, 0];
for (const pair of pairsOf(found)) {
  const [a, b] = pair.split(" = ").map(stem);
  if (a === b) right++;
  else if (own.has([`${a}.jpg`, `${b}.jpg`].sort().join(" = "))) ownPairs++;
  else wrong++;
}
console.log(
  `${images} images, ${skipped.length} files listed as broken of ${Math.round(broken * truth.length)} that are`,
);
console.log(
  `pairs: ${right} right, ${wrong} wrong, precision ${percent(right / Math.max(1, right + wrong))}; ${ownPairs} of the folder's own`,
);
console.log(
  `processors: ${cpu.toFixed(1)} s, ${((1000 * cpu) / images).toFixed(2)} ms an image, all of the command`,
);
/** Median with least and most. */
function spreadOf(numbers, digits) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const [middle, least, most] = [sorted[sorted.length >> 1], sorted[0], sorted.at(-1)];
  return `${middle.toFixed(digits)} (${least.toFixed(digits)} to ${most.toFixed(digits)})`;
}

if (values.yardstick.length > 0) {
  const times = new Map();
  const note = (name, seconds) => times.set(name, [...(times.get(name) ?? []), seconds]);
  for (let round = 0; round < Number(values.rounds); round++) {
    note("dedupe", dedupe(folder, `r${round}`).cpu);
    for (const line of values.yardstick) {
      const [command, ...args] = line.split(" ");
      note(line, timed(command, [...args, folder]).cpu);
    }
  }
  const ours = times.get("dedupe");
  for (const [name, theirs] of times) {
    const ratios = ours.map((seconds, round) => seconds / theirs[round]);
    const is = name === "dedupe" ? "" : `; dedupe takes ${spreadOf(ratios, 2)} times that`;
    console.log(`${name}: ${spreadOf(theirs, 2)} s of processors${is}`);
  }
}
console.log("\n| copy | planted | found with its original |\n| --- | --- | --- |");
const place = new Map(found.flatMap((group, i) => group.map((id) => [id, i])));
const isFound = ([a, b]) => place.has(a) && place.get(a) === place.get(b);
const planted = truth.flatMap(([original, ...rest]) =>
  rest.map(({ path, kind }) => ({ kind, pair: [original.path, path] })),
);
for (const kind of ["all", ...Object.keys(copyKinds)]) {
  const made = planted.filter((copy) => kind === "all" || copy.kind === kind);
  const hit = made.filter(({ pair }) => isFound(pair));
  console.log(
    `| ${kind} | ${made.length} | ${made.length === 0 ? "" : percent(hit.length / made.length)} |`,
  );
}
