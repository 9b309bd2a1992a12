// Reads mutated inputs one after another, and tells of those that end in anything but a value or an error of our own.
import { mkdtempSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { ContraposeError } from "../dist/core/errors.js";
import { randomOf } from "./fuzzMutations.mjs";
import { targets } from "./fuzzTargets.mjs";

const { jobs, seed, memory, scratch, each } = JSON.parse(process.argv[2]);
const MESSAGE = 2000; // characters of a message that are many

let [name, index, errors, faults] = ["", 0, 0, 0];

function fault(what) {
  faults += 1;
  if (faults <= 1000) process.send({ name, fault: { index, what } });
}

const told = (error) =>
  error instanceof Error
    ? String(error.stack).split("\n").slice(0, 4).join(" ").slice(0, 500)
    : `threw ${typeof error}`;

/** MiB that the process held at most so far. */
const highWater = () =>
  Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "latin1"))?.[1] ?? 0) / 1024;

let large = false; // said once: what a process held at most never sinks
function checkMemory() {
  if (large || process.platform !== "linux" || highWater() <= memory) return;
  large = true;
  fault(`more than ${memory} MiB, by this call or one of the last`);
}

process.on("unhandledRejection", (error) => fault(`unhandled rejection: ${told(error)}`));
process.on("uncaughtException", (error) => fault(`uncaught: ${told(error)}`));
process.on("warning", () => undefined);
console.log = console.warn = () => undefined;

async function call(read, input) {
  try {
    await read(input);
  } catch (error) {
    if (!(error instanceof ContraposeError)) fault(told(error));
    else if (error.message.length > MESSAGE) {
      fault(`a message of ${error.message.length} characters`);
    } else errors += 1;
  }
}

/** What is whole must be read. */
async function readWhole(read, seeds) {
  for (const whole of seeds) {
    try {
      await read(whole);
    } catch (error) {
      fault(`the whole input is refused: ${told(error)}`);
    }
  }
}

let last = 0;
for (const { name: chosen, from, to } of jobs) {
  [name, index, errors] = [chosen, from, 0];
  process.send({ name, at: index, errors });
  const { seeds, mutate, read } = await targets[name].open(mkdtempSync(join(scratch, `${name}-`)));
  if (from === 0) await readWhole(read, seeds);
  for (; index < to; index++) {
    const now = performance.now();
    if (each || now - last > 200) {
      process.send({ name, at: index, errors });
      last = now;
      checkMemory();
    }
    const random = randomOf(seed, name, index);
    const input = mutate(seeds[random(seeds.length)], random, seeds[random(seeds.length)]);
    await call(read, input);
    if (index % 64 === 0) await new Promise(setImmediate); // for what was rejected meanwhile
  }
  await new Promise((done) => setTimeout(done, 5));
  checkMemory();
  process.send({ name, at: to, errors });
}
process.send({ done: true }, () => process.exit(0));
