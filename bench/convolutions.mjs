// Times the ways to compute 3×3 convolutions and their gradients, beside a matrix product as yardstick.
//   npm run build && node bench/convolutions.mjs [--threads 2] [--repeat 3]
// Prints the best of the repeats, in ms and GFLOP/s of a direct convolution, and the ratio to the product's GFLOP/s.
import { cpus } from "node:os";

import { blockSize, defaultThreads, openSession } from "../dist/engine/device.js";
import { GraphBuilder } from "../dist/engine/onnx.js";
import { toTensor } from "../dist/engine/program.js";
import { timeWay } from "../dist/engine/tuning.js";

const option = (name, fallback) => {
  const at = process.argv.indexOf(`--${name}`);
  return at === -1 ? fallback : Number(process.argv[at + 1]);
};
const threads = option("threads", defaultThreads());
const repeat = option("repeat", 3);
const target = { block: await blockSize(), fused: true, choose: (_, __, ways) => ways[0] };

async function matrixProduct(size = 1024) {
  const graph = new GraphBuilder();
  for (const name of ["a", "b"]) graph.input(name, "float32", [size, size]);
  graph.output("y", graph.emit("MatMul", ["a", "b"]), "float32", [size, size]);
  const session = await openSession(graph.toBytes("bench"), { device: "cpu", threads });
  const data = Float32Array.from({ length: size * size }, (_, i) => Math.sin(i));
  const tensor = toTensor({ dtype: "float32", shape: [size, size], data });
  let best = Infinity;
  for (let run = 0; run < 8; run++) {
    const start = performance.now();
    await session.run({ a: tensor, b: tensor });
    if (run > 0) best = Math.min(best, performance.now() - start);
  }
  await session.release();
  return (2 * size ** 3) / best / 1e6;
}

const shapes = [
  [64, 64, 32],
  [64, 128, 16],
  [64, 256, 8],
  [64, 512, 4],
  [64, 32, 32],
  [256, 16, 32],
  [256, 32, 16],
  [256, 64, 8],
];
const yardstick = await matrixProduct();
console.log(
  `${cpus()[0].model}, ${threads} threads, blocks of ${target.block}; product of 1024² matrices ${yardstick.toFixed(0)} GFLOP/s`,
);
for (const [n, c, s] of shapes) {
  const flops = 2 * n * c * c * 9 * s * s;
  const questions = [
    ["forward", { kind: "convolution", sizes: [n, c, s, s, c, 0], ways: ["direct", "winograd"] }],
    [
      "input gradient",
      { kind: "convolution", sizes: [n, c, s, s, c, 1], ways: ["direct", "winograd"] },
    ],
    [
      "weight gradient",
      {
        kind: "weightGradient",
        sizes: [c, n, s, s, c, n, s, s, 1, 1, 1, 1, 1, 1],
        ways: ["blocked", "winograd", "volume"],
      },
    ],
  ];
  for (const [label, question] of questions) {
    const cells = [];
    for (const way of question.ways) {
      let best = Infinity;
      for (let i = 0; i < repeat; i++)
        best = Math.min(best, await timeWay(question, way, target, threads));
      const rate = flops / best / 1e6;
      cells.push(
        `${way} ${best.toFixed(1)} ms (${rate.toFixed(0)} GFLOP/s, ${(rate / yardstick).toFixed(2)})`,
      );
    }
    console.log(`${n}×${c}×${s}×${s}  ${label.padEnd(16)} ${cells.join("  ")}`);
  }
}
