// The yardstick of bench/dedupe.mjs with the decoder that dedupe has: decodes every image of a folder with sharp and hashes
// it (PHash: the signs about their median of the 8 × 8 lowest frequencies of 32 × 32 grey cells).
// node bench/phash.mjs FOLDER
import { readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";

import sharp from "sharp";

sharp.cache(false);
sharp.concurrency(1);
const [SIDE, KEPT] = [32, 8];
const cosines = Array.from({ length: KEPT }, (_, u) =>
  Float64Array.from({ length: SIDE }, (_, x) => Math.cos((Math.PI * u * (2 * x + 1)) / (2 * SIDE))),
);

function hashOf(cells) {
  const across = cosines.map((wave) =>
    Float64Array.from({ length: SIDE }, (_, y) =>
      wave.reduce((sum, value, x) => sum + value * cells[y * SIDE + x], 0),
    ),
  );
  const low = cosines.flatMap((wave) =>
    across.map((column) => wave.reduce((sum, value, y) => sum + value * column[y], 0)),
  );
  const median = low.toSorted((a, b) => a - b)[low.length / 2];
  return low.map((value) => (value > median ? 1 : 0)).join("");
}

const files = readdirSync(process.argv[2], { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name));
let next = 0;
async function work() {
  while (next < files.length) {
    const file = sharp(files[next++]).resize(SIDE, SIDE, { fit: "fill" }).greyscale();
    await file
      .raw()
      .toBuffer()
      .then(hashOf, () => undefined); // not an image
  }
}
await Promise.all(Array.from({ length: availableParallelism() }, work));
