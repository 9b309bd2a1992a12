// Neighbour search beside the matrix product underneath it, and masks of the largest entries of rows.
//   npm run build && node bench/selection.mjs [--rounds 9] [--threads 2] [--queries 256] [--only neighbours|masks]
// Programs alternate; printed are medians in ms of the clock and of processor time (all threads together, which beside
// other work says more), and for neighbours both as ratios to the product alone.
import { cpus } from "node:os";

import { lax, numpy as np } from "@jax-js/jax";

import { topMask, topMaskOf } from "../dist/core/topMask.js";
import { compile, defaultThreads } from "../dist/engine/index.js";

const option = (name, fallback) => {
  const at = process.argv.indexOf(`--${name}`);
  return at === -1 ? fallback : process.argv[at + 1];
};
const rounds = Number(option("rounds", 9));
const threads = Number(option("threads", defaultThreads()));
const queries = Number(option("queries", 256));
const only = option("only");
const WIDTH = 128;

function draw(...shape) {
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
  for (let i = 0; i < data.length; i++) data[i] = Math.random() - 0.5;
  return { dtype: "float32", shape, data };
}
const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

/** Medians of several functions of the same arguments, which take turns: `{ clock, processor }` each, in ms. */
async function race(functions, args) {
  const programs = await Promise.all(functions.map((fn) => compile(fn, args, { threads })));
  const times = programs.map(() => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [i, program] of programs.entries()) {
      const [start, used] = [performance.now(), process.cpuUsage()];
      const result = await program.run(...args);
      const [clock, { user, system }] = [performance.now() - start, process.cpuUsage(used)];
      if (round > 0) times[i].push({ clock, processor: (user + system) / 1000 });
      program.recycle(result);
    }
  }
  for (const program of programs) await program.dispose();
  const of = (runs, kind) => median(runs.map((run) => run[kind]));
  return times.map((runs) => ({ clock: of(runs, "clock"), processor: of(runs, "processor") }));
}

const ms = ({ clock, processor }) => `${clock.toFixed(1)}/${processor.toFixed(1)} ms`;
const ratio = (a, b) =>
  `${(a.clock / b.clock).toFixed(2)}/${(a.processor / b.processor).toFixed(2)}`;
const similarity = (x, bank) => np.matmul(x, bank.transpose());
const corner = (x) => x.slice([0, 1], [0, 1]); // one element, so that nothing large is copied out

async function neighbours(size) {
  const kinds = [
    ["top 20", (x, bank) => lax.topK(similarity(x, bank), 20)],
    ["top 4,096", (x, bank) => lax.topK(similarity(x, bank), 4096)],
    ["mask of 4,096", (x, bank) => topMask(similarity(x, bank), 4096).max(-1)],
  ].slice(0, size > 4096 ? 3 : 1);
  const args = [draw(queries, WIDTH), draw(size, WIDTH)];
  const functions = [(x, bank) => corner(similarity(x, bank)), ...kinds.map(([, fn]) => fn)];
  const [product, ...times] = await race(functions, args);
  const cells = times.map((time, i) => `${kinds[i][0]} ${ms(time)} (${ratio(time, product)})`);
  console.log(`${String(size).padStart(7)} rows: product ${ms(product)}, with ${cells.join(", ")}`);
}

async function masks(columns, count) {
  const number = { dtype: "int32", shape: [], data: Int32Array.of(count) };
  const args = [draw(queries, columns), number];
  const [fixed, counted] = await race(
    [(x) => topMask(x, count).max(-1), (x, n) => topMaskOf(x, n).max(-1)],
    args,
  );
  console.log(
    `mask of ${count} in [${queries}, ${columns}]: ${ms(fixed)}; count given at run time ${ms(counted)}`,
  );
}

console.log(`${cpus()[0].model}, ${threads} threads, ${queries} queries of width ${WIDTH}`);
if (only !== "masks") for (const size of [1000, 10_000, 50_000, 100_000]) await neighbours(size);
if (only !== "neighbours") {
  for (const [columns, count] of [
    [4096, 10],
    [4096, 409],
    [65_536, 10],
    [65_536, 6553],
  ]) {
    await masks(columns, count);
  }
}
