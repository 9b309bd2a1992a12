import { expect, test } from "vitest";

import type { PixelImage } from "../../core/pixels.ts";
import { drawSamples } from "./drawSamples.ts";
import type { SampleSplit } from "./factors.ts";
import { SampleOptions } from "./sampleOptions.ts";

const side = 32; // pixels at which images are compared
const options = SampleOptions.parse({ train: 600, test: 150, size: 64 });

/** Halves a 64-pixel image: [32, 32, 3] in [0, 1]. */
function halved({ data, width }: PixelImage): Float32Array {
  const out = new Float32Array(side * side * 3);
  for (let at = 0; at < out.length; at++) {
    const [x, y, c] = [Math.floor(at / 3) % side, Math.floor(at / 3 / side), at % 3];
    const corner = (2 * y * width + 2 * x) * 3 + c;
    const below = corner + width * 3;
    out[at] = (data[corner] + data[corner + 3] + data[below] + data[below + 3]) / 1020;
  }
  return out;
}

/** Directions of the grey gradient, weighted by its length: [8, 8, 9], 4-pixel cells, 20-degree bins. */
function gradients(pixels: Float32Array): Float32Array {
  const grey = (x: number, y: number) => {
    const at = (y * side + x) * 3;
    return pixels[at] + pixels[at + 1] + pixels[at + 2];
  };
  const cells = new Float32Array(8 * 8 * 9);
  for (let y = 1; y < side - 1; y++) {
    for (let x = 1; x < side - 1; x++) {
      const dx = grey(x + 1, y) - grey(x - 1, y);
      const dy = grey(x, y + 1) - grey(x, y - 1);
      const bin = Math.floor(9 * (Math.atan2(dy, dx) / Math.PI + 1)) % 9;
      cells[((y >> 2) * 8 + (x >> 2)) * 9 + bin] += Math.sqrt(Math.hypot(dx, dy));
    }
  }
  return cells;
}

function normalised(row: Float32Array): Float32Array {
  const length = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
  return row.map((value) => value / length);
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

type Labelled = { row: Float32Array; label: string };

/** Share of test rows whose 20 nearest training rows by cosine vote for the right label. */
function accuracy(train: Labelled[], probe: Labelled[]): number {
  const right = probe.filter(({ row, label }) => {
    const near = train
      .map((known) => ({ label: known.label, similarity: dot(known.row, row) }))
      .sort((a, b) => b.similarity - a.similarity)
      .slice(0, 20);
    const votes = new Map<string, number>();
    for (const known of near) votes.set(known.label, (votes.get(known.label) ?? 0) + 1);
    return [...votes].sort((a, b) => b[1] - a[1])[0][0] === label;
  });
  return right.length / probe.length;
}

async function load(split: SampleSplit) {
  const images: { pixels: Float32Array; label: string }[] = [];
  const indices = Array.from({ length: options[split] }, (_, i) => i);
  for await (const sheet of drawSamples(options, split, indices)) {
    for (const { factors, image } of sheet) {
      images.push({ pixels: halved(image), label: factors.shape });
    }
  }
  return images;
}

test("raw pixels do not tell the shapes apart, the directions of edges do", async () => {
  const [train, probe] = [await load("train"), await load("test")];
  const measured = (feature: (pixels: Float32Array) => Float32Array) => {
    const rows = (set: typeof train) =>
      set.map(({ pixels, label }) => ({ row: normalised(feature(pixels)), label }));
    return accuracy(rows(train), rows(probe));
  };
  const byPixels = measured((pixels) => pixels);
  const byEdges = measured(gradients);
  // Chance is 0.1.
  expect(byPixels).toBeLessThan(0.3);
  expect(byEdges).toBeGreaterThan(2 * byPixels);
  expect(byEdges).toBeGreaterThan(0.4);
});
