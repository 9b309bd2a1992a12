import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bench, describe } from "vitest";

import { drawSamples, renderSamples, SampleOptions } from "../src/data/sample/index.ts";

const images = 256;

async function drawAll(size: number): Promise<void> {
  const options = SampleOptions.parse({ size });
  const indices = Array.from({ length: images }, (_, i) => i);
  for await (const sheet of drawSamples(options, "train", indices)) {
    if (sheet.length === 0) throw new Error("nothing was drawn");
  }
}

async function renderAll(options: object): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "contrapose-bench-"));
  await renderSamples(folder, { train: images, test: 0, ...options });
  await rm(folder, { recursive: true });
}

const brief = { iterations: 3, time: 0, warmupIterations: 1, warmupTime: 0 };

describe(`${images} images of a sample set`, () => {
  bench("drawn in memory, 64 px", () => drawAll(64), brief);
  bench("rendered to png, 64 px", () => renderAll({ size: 64 }), brief);
  bench("rendered to jpg, 64 px", () => renderAll({ size: 64, format: "jpg" }), brief);
  bench("rendered to png, 128 px", () => renderAll({ size: 128 }), brief);
});
