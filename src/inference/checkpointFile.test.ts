import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { hostArray } from "../core/arrays.ts";
import { inFolder } from "../data/testing.ts";
import { encodeSafetensors } from "../files/index.ts";
import { POSITION, readWeights, sumOf } from "./checkpointFile.ts";

test("weights of a checkpoint are held against their sum, those elsewhere are read as they are", () =>
  inFolder(async (folder) => {
    const [path, position] = [join(folder, "weights.safetensors"), join(folder, POSITION)];
    const bytes = encodeSafetensors({ w: hostArray("float32", [2], Float32Array.of(1, 2)) });
    const state = (files: unknown) => writeFileSync(position, JSON.stringify({ step: 1, files }));
    writeFileSync(path, bytes);
    const whole = await readWeights(path);
    state({ "weights.safetensors": sumOf(bytes) });
    expect(await readWeights(path)).toEqual(whole);

    const flipped = Uint8Array.from(readFileSync(path));
    flipped[flipped.length - 2] ^= 1;
    writeFileSync(path, flipped);
    await expect(readWeights(path)).rejects.toThrow(
      /weights.safetensors" is damaged: its checksum/,
    );
    state(undefined); // of a program that notes no sums
    expect(await readWeights(path)).not.toEqual(whole);
    const without = '{"files":{"state.safetensors":{"bytes":1,"sha256":""}}}';
    for (const damaged of ["{", "[]", '{"files":{"weights.safetensors":1}}', without]) {
      writeFileSync(position, damaged);
      await expect(readWeights(path)).rejects.toThrow(/position.json" is damaged/);
    }
  }));
