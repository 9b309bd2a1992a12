// Is anything lost where a command is killed? Kills six verbs at random moments, runs them again, and compares what they
// made with what an uninterrupted call made, byte for byte.
// npm run build && node bench/kills.mjs [--kills 200] [--seed 0] [--verbs train,pack,embed,index,dedupe,compare]
// Three kills of four are SIGKILL, the others SIGTERM or SIGINT. A moment is uniform over the time that the uninterrupted
// call took; a call that ended before is not counted as killed. A call is killed up to three times before it may end. All
// calls share one memory of timed choices, so that bits can be equal. Not compared: fields of time and of memory (metrics,
// comparison), logs, a run's TensorBoard events, and in which shard packed pixels lie; a DuckDB file is compared by its
// rows.
// Exit code 1 where something is lost: the last call fails, or what it leaves differs.
import { spawn } from "node:child_process";
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { randomStream } from "../dist/core/index.js";
import { filesIn, verbs } from "./killedVerbs.mjs";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "200" },
    seed: { type: "string", default: "0" },
    verbs: { type: "string", default: Object.keys(verbs).join() },
  },
});
const names = values.verbs.split(",");
const main = join(import.meta.dirname, "..", "dist", "cli", "main.js");
const scratch = mkdtempSync(join(tmpdir(), "contrapose-kills-"));
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(130));
const { CONTRAPOSE_CACHE: _, ...env } = { ...process.env, HOME: scratch };

/** Calls contrapose in a folder; after `ms`, where given, it gets a signal. */
function contrapose(folder, args, { ms, signal } = {}) {
  const started = performance.now();
  const child = spawn(process.execPath, [main, ...args, "--quiet"], {
    cwd: folder,
    env,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (text) => (said += text));
  const timer = ms === undefined ? undefined : setTimeout(() => child.kill(signal), ms);
  return new Promise((resolve) => {
    child.on("exit", (code, by) => {
      clearTimeout(timer);
      resolve({ code, by, said, ms: performance.now() - started });
    });
  });
}

async function uninterrupted(folder, args) {
  const { code, said, ms } = await contrapose(folder, args);
  if (code === 0) return ms;
  console.error(`contrapose ${args.join(" ")}: exit code ${code}\n${said}`);
  process.exit(2);
}

/** Images with a few copies among them, a trained run, and its embeddings. */
async function prepare() {
  await uninterrupted(scratch, "sample drawn --train 100 --test 0 --size 16".split(" "));
  cpSync(join(scratch, "drawn", "train"), join(scratch, "images"), { recursive: true });
  for (const kind of readdirSync(join(scratch, "images"))) {
    const [first] = readdirSync(join(scratch, "images", kind));
    copyFileSync(
      join(scratch, "images", kind, first),
      join(scratch, "images", kind, `copy-${first}`),
    );
  }
  await uninterrupted(scratch, ["train", "images", ...verbs.train.call.slice(2)]);
  await uninterrupted(scratch, "embed run images --threads 1".split(" "));
}

/** The folder of a call, always of one name: some files say where others lie. */
function freshFolder(verb) {
  const folder = join(scratch, "work");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  verb.put?.(folder);
  return folder;
}

/** Names of files without what differs from call to call: events of each start, and shards of each packing. */
const namesIn = (folder) =>
  new Set(filesIn(folder).map((name) => name.replace(/tfevents\..*|pixels-\d+/, "")));

/** Names of what is not as it should be; of what is there, or of all that should be. */
async function differences(verb, folder, expected, isPart = false) {
  try {
    const found = await verb.result(folder);
    const keys = Object.keys(isPart ? found : { ...expected, ...found });
    return keys.filter((key) => expected[key] !== found[key]);
  } catch (error) {
    return [error.message];
  }
}

/** What was killed `times` times, and what came of it. */
async function trial(verb, folder, { times, random, expected, ms }) {
  const before = filesIn(folder).length;
  let [kills, underWay] = [0, 0];
  const lost = [];
  let call;
  do {
    const killed = kills < times && {
      ms: random.uniform(0, ms),
      signal: random.chance(0.75) ? "SIGKILL" : random.chance(0.5) ? "SIGTERM" : "SIGINT",
    };
    const again = kills > 0 && verb.again?.(folder);
    call = await contrapose(folder, again || verb.call, killed || {});
    if (call.code === 2 && / exists\n/.test(call.said)) {
      lost.push(...(await differences(verb, folder, expected, true)));
      call = await contrapose(folder, [...verb.call, "--overwrite"]); // as the hint says
    }
    if (killed && (call.by !== null || call.code > 128)) {
      kills++;
      if (filesIn(folder).length > before) underWay++;
    } else break;
  } while (true);
  lost.push(...(call.code === 0 ? await differences(verb, folder, expected) : [call.said.trim()]));
  return { kills, underWay, lost };
}

async function killVerb(name, wanted) {
  const verb = verbs[name];
  await uninterrupted(freshFolder(verb), verb.call); // choices are timed here, and not again
  const folder = freshFolder(verb);
  const ms = await uninterrupted(folder, verb.call);
  const expected = await verb.result(folder);
  const usual = namesIn(folder);
  const row = { name, ms, kills: 0, underWay: 0, calls: 0, lost: 0, left: [], told: [] };
  const random = randomStream(Number(values.seed), name);
  while (row.kills < wanted) {
    const times = Math.min(1 + random.integer(3), wanted - row.kills);
    row.calls++;
    freshFolder(verb);
    const { kills, underWay, lost } = await trial(verb, folder, { times, random, expected, ms });
    row.kills += kills;
    row.underWay += underWay;
    if (lost.length > 0) row.lost += Math.max(kills, 1);
    for (const what of lost) row.told.push(`lost: ${name}, call ${row.calls}: ${what}`);
    row.left.push(...[...namesIn(folder)].filter((file) => !usual.has(file)));
  }
  return row;
}

const started = performance.now();
await prepare();
console.log("| verb | ms | calls | kills | files were there | recovered | lost | left behind |");
console.log("| --- | --- | --- | --- | --- | --- | --- | --- |");
const upTo = (i) => Math.floor((Number(values.kills) * i) / names.length);
const told = [];
const rows = [];
for (const [i, name] of names.entries()) {
  const row = await killVerb(name, upTo(i + 1) - upTo(i));
  const { ms, calls, kills, underWay, lost, left } = row;
  const cells = [name, ms.toFixed(0), calls, kills, underWay, kills - lost, lost, left.length];
  console.log(`| ${cells.join(" | ")} |`);
  told.push(...row.told, ...left.map((file) => `left behind by ${name}: ${file}`));
  rows.push(row);
}
const total = (key) => rows.reduce((sum, row) => sum + row[key], 0);
const minutes = ((performance.now() - started) / 60_000).toFixed(1);
console.log(`\n${total("kills")} kills, ${total("lost")} lost, in ${minutes} minutes`);
for (const line of told) console.log(line);
process.exit(total("lost") > 0 ? 1 : 0);
