// Whole training steps, alternating with another program that prints {"medianMs", "imagesPerSecond"} for the same flags.
//   npm run build && node bench/step.mjs --yardstick path/to/torch_step.py [--rounds 3] [--python /usr/bin/python3]
// Prints both medians of each round and the ratio of images per second (above 1: Contrapose is faster).
import { execFileSync } from "node:child_process";
import { cpus } from "node:os";

const option = (name, fallback) => {
  const at = process.argv.indexOf(`--${name}`);
  return at === -1 ? fallback : process.argv[at + 1];
};
const yardstick = option("yardstick");
const rounds = Number(option("rounds", 3));
const python = option("python", "/usr/bin/python3");
const sizes = [
  ["--width", "64", "--blocks", "2,2,2,2", "--batch", "64"],
  ["--width", "32", "--blocks", "2,2,2,2", "--batch", "64"],
  ["--width", "16", "--blocks", "1,1,1", "--batch", "256"],
];
const last = (text) => JSON.parse(text.trim().split("\n").at(-1));
const ours = (flags) =>
  last(
    execFileSync(
      process.execPath,
      ["dist/cli/main.js", "bench", "step", "--encoder", "resnet", ...flags, "--json"],
      { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
    ),
  );
const theirs = (flags) => last(execFileSync(python, [yardstick, ...flags], { encoding: "utf8" }));
const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

console.log(`${cpus()[0].model}, ${cpus().length} cores, Node ${process.version}`);
for (const flags of sizes) {
  ours(flags); // times the ways on a machine that has not seen these shapes
  const ratios = [];
  for (let round = 0; round < rounds; round++) {
    const a = ours(flags);
    if (yardstick === undefined) {
      console.log(`${flags.join(" ")}: ${a.imagesPerSecond} images/s (${a.medianMs} ms)`);
      continue;
    }
    const b = theirs(flags);
    ratios.push(a.imagesPerSecond / b.imagesPerSecond);
    console.log(
      `${flags.join(" ")}: ${a.imagesPerSecond} images/s (${a.medianMs} ms) beside ${b.imagesPerSecond} (${b.medianMs} ms), ratio ${ratios.at(-1).toFixed(2)}`,
    );
  }
  if (ratios.length > 0) console.log(`  median ratio ${median(ratios).toFixed(2)}`);
}
