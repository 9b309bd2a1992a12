import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterAll, describe, expect, test } from "vitest";

import { randomStream } from "../src/core/random.ts";
import { exportHubFolder } from "../src/evaluate/index.ts";
import { loadEncoder, openFeatures } from "../src/inference/index.ts";
import { scratch } from "./cli.ts";

const interpreter = existsSync("/usr/bin/python3") ? "/usr/bin/python3" : "python3"; // Debian's has the packages
const script = join(import.meta.dirname, "starts.py");
const folder = scratch();
afterAll(() => folder.remove());

function python(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(interpreter, [script, ...args]);
  if (status !== 0) throw new Error(stderr.toString());
  return stdout.toString();
}

const has = (library: string) =>
  spawnSync(interpreter, ["-c", `import torch, safetensors, ${library}`]).status === 0;

describe("what was trained from a start loads where it came from", () => {
  for (const library of ["timm", "transformers", "torchvision"]) {
    test.skipIf(!has(library))(`${library} (needs torch, safetensors and ${library})`, async () => {
      const [start, hub] = [folder.at(library), folder.at(`${library}-hub`)];
      mkdirSync(start);
      python("make", library, start);
      const loaded = await loadEncoder(start);
      const { network, variables, description } = loaded;
      const stream = randomStream(4, library);
      for (const { data } of Object.values(variables.parameters)) {
        data.forEach((value, i) => (data[i] = Number(value) + stream.uniform(-0.02, 0.02))); // as if trained
      }
      await exportHubFolder(loaded, hub);
      const side = description.imageSize;
      const pixels = Float32Array.from({ length: 2 * 3 * side ** 2 }, () => stream.normal());
      writeFileSync(folder.at("pixels"), pixels);
      const theirs = JSON.parse(
        python("features", library, hub, folder.at("pixels"), String(side)),
      ) as number[][];
      const embedder = await openFeatures(network, variables, description, { batchSize: 2 });
      const values = pixels.length / 2;
      const ours = await embedder.embed(variables, {
        count: 2,
        fill: (row, out, offset) =>
          out.set(pixels.subarray(row * values, (row + 1) * values), offset),
      });
      await embedder.dispose();
      const largest = Math.max(...ours.map(Math.abs));
      const differences = theirs.flat().map((value, i) => Math.abs(value - ours[i]) / largest);
      expect(differences).toHaveLength(ours.length);
      expect(Math.max(...differences)).toBeLessThan(1e-4);
    });
  }
});
