// Damaged input to every reader: valid files are mutated, and whatever is not a success or an error of our own is a
// fault. A target, a seed and an index make the same input everywhere.
// npm run build && node bench/fuzz.mjs [--calls 100000] [--seed 0] [--targets npy,tar] [--index 17] [--seconds 10]
import { fork } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { targets } from "./fuzzTargets.mjs";

const { values } = parseArgs({
  options: {
    calls: { type: "string", default: "100000" }, // over all targets
    seed: { type: "string", default: "0" },
    targets: { type: "string", default: "" },
    index: { type: "string" }, // one call of one target
    seconds: { type: "string", default: "10" }, // of one call
    memory: { type: "string", default: "1500" }, // MiB, of the process that reads
    out: { type: "string" }, // JSON of the figures
  },
});
const [calls, seed, seconds, memory] = [
  ...[values.calls, values.seed, values.seconds, values.memory].map(Number),
];
const chosen = values.targets === "" ? Object.keys(targets) : values.targets.split(",");
const unknown = chosen.filter((name) => !Object.hasOwn(targets, name));
if (unknown.length > 0) {
  console.error(`${unknown.join(", ")}: none of ${Object.keys(targets).join(", ")}`);
  process.exit(2);
}

const scratch = mkdtempSync(join(tmpdir(), "contrapose-fuzz-"));
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));
process.on("SIGINT", () => process.exit(130));
process.on("SIGTERM", () => process.exit(143));
const worker = fileURLToPath(new URL("fuzzWorker.mjs", import.meta.url));

const weight = (name) => targets[name].weight ?? 1;
const weights = chosen.reduce((sum, name) => sum + weight(name), 0);
const single = values.index === undefined ? undefined : Number(values.index);
const wanted = chosen.slice(0, single === undefined ? undefined : 1).map((name) => ({
  name,
  from: single ?? 0,
  to: single === undefined ? Math.max(1, Math.ceil((calls * weight(name)) / weights)) : single + 1,
}));
const results = wanted.map(({ name, from }) => ({
  name,
  from,
  at: from,
  errors: 0,
  faults: [],
  seconds: 0,
}));
const resultOf = (name) => results.find((result) => result.name === name);

/** Reads the inputs of jobs in a process of its own. Gives the target that ended it early, and why. */
function readInputs(jobs, each) {
  return new Promise((done) => {
    const order = JSON.stringify({ jobs, seed, memory, scratch, each });
    const child = fork(worker, [order], {
      execArgv: ["--max-old-space-size=1024"],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    let [current, why, stderr, over] = [jobs[0].name, undefined, "", false];
    const before = new Map(results.map(({ name, errors }) => [name, errors]));
    let [watch, told] = [undefined, performance.now()];
    const wait = (ms) => {
      clearTimeout(watch);
      watch = setTimeout(() => {
        why = `no end after ${seconds} s`;
        child.kill("SIGKILL");
      }, ms);
    };
    wait(60_000); // for the start
    child.stderr.on("data", (piece) => (stderr = `${stderr}${piece}`.slice(0, 4000)));
    child.on("message", (message) => {
      wait(1000 * seconds + 1000);
      if (message.done) over = true;
      if (message.name === undefined) return;
      const result = resultOf(message.name);
      const now = performance.now();
      result.seconds += (now - told) / 1000;
      [current, told] = [message.name, now];
      if (message.fault !== undefined) result.faults.push(message.fault);
      else [result.at, result.errors] = [message.at, before.get(message.name) + message.errors];
    });
    child.on("exit", (code, signal) => {
      clearTimeout(watch);
      const first =
        stderr
          .trim()
          .split("\n")
          .find((line) => /error/i.test(line)) ?? "";
      why ??= `the process ended with ${signal ?? code}: ${first}`;
      done(over ? undefined : { name: current, why });
    });
  });
}

/** Jobs that are not done. */
const rest = () =>
  wanted
    .map((job) => ({ ...job, from: resultOf(job.name).at }))
    .filter(({ from, to }) => from < to);

let each = single !== undefined; // tell before each call, to know which one ended the process
for (let jobs = rest(); jobs.length > 0; jobs = rest()) {
  const few = each ? [{ ...jobs[0], to: Math.min(jobs[0].to, jobs[0].from + 500) }] : jobs;
  const ended = await readInputs(few, each);
  if (ended !== undefined && each) {
    const result = resultOf(ended.name);
    result.faults.push({ index: result.at, what: ended.why });
    result.at += 1;
  }
  each = ended !== undefined && !each;
}

for (const { name, at, from, errors, faults, seconds: took } of results) {
  console.log(
    `${name.padEnd(20)}${String(at - from).padStart(9)} calls ${String(errors).padStart(9)} refused ${String(faults.length).padStart(5)} faults ${took.toFixed(1).padStart(8)} s`,
  );
  for (const fault of faults.slice(0, 3)) {
    console.log(
      `  node bench/fuzz.mjs --targets ${name} --seed ${seed} --index ${fault.index}\n    ${fault.what}`,
    );
  }
}
const total = (of) => results.reduce((sum, result) => sum + of(result), 0);
const faults = total((result) => result.faults.length);
console.log(
  `${total((result) => result.at - result.from)} calls of ${results.length} targets, ${faults} faults, seed ${seed}, ${total((result) => result.seconds).toFixed(0)} s`,
);
if (values.out !== undefined)
  writeFileSync(values.out, `${JSON.stringify({ seed, results }, null, 1)}\n`);
process.exit(faults === 0 ? 0 : 1);
