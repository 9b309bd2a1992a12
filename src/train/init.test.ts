import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, expect, test } from "vitest";

import { full, type HostRecord } from "../core/arrays.ts";
import { linear, resnet } from "../encoders/index.ts";
import { writeSafetensors } from "../files/index.ts";
import type { HostState } from "../frameworks/index.ts";
import { describeLoaded, initialise } from "./init.ts";

const folder = mkdtempSync(join(tmpdir(), "contrapose-init-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A state for views of 32 px, whose first layer is 3 × 3, and a copy of it as weight averaging keeps. */
function stateOf(width = 4): HostState {
  const encoder = resnet({ width, blocks: [1] });
  const head = linear(encoder.dimension);
  const model = () => ({ encoder: encoder.init(0), head: head.init(0) });
  return { ...model(), optimiser: {}, average: model() };
}

/** Weights as torchvision has them: a first layer of 7 × 7, counters, a classifier. */
async function torchvision(): Promise<string> {
  const { parameters, statistics } = resnet({ width: 4, blocks: [1], stem: "standard" }).init(1);
  const more: HostRecord = {
    "bn1.num_batches_tracked": full([], 9, "int32"),
    "fc.weight": full([10, 4], 1),
  };
  const path = join(folder, "torchvision.safetensors");
  await writeSafetensors(path, { ...parameters, ...statistics, ...more });
  return path;
}

test("weights with a larger first layer give all the rest, and the report names both shapes", async () => {
  const state = stateOf();
  const before = state.encoder.parameters["conv1.weight"].data.slice();
  const loaded = await initialise(state, await torchvision());
  const made = resnet({ width: 4, blocks: [1], stem: "standard" }).init(1).parameters;
  const name = "layer1.0.conv1.weight";
  expect(state.encoder.parameters[name].data).toEqual(made[name].data);
  expect(state.average?.encoder.parameters[name].data).toEqual(made[name].data);
  expect(state.encoder.parameters["conv1.weight"].data).toEqual(before);
  const text = describeLoaded(loaded);
  expect(text).toContain("not in the file, drawn anew: head.0.weight, head.0.bias;");
  expect(text).toContain(
    "of another shape, drawn anew: conv1.weight is [4, 3, 7, 7] in the file, here [4, 3, 3, 3] (--set encoder.stem=standard",
  );
  expect(text).toMatch(/in the file, not used: fc\.weight$/); // no counters
});

test("names of a MoCo checkpoint are looked through, and the report says so", async () => {
  const { parameters } = resnet({ width: 4, blocks: [1] }).init(1);
  const path = join(folder, "moco.safetensors");
  const wrapped = Object.entries(parameters).map(([name, array]) => [
    `module.encoder_q.${name}`,
    array,
  ]);
  await writeSafetensors(path, Object.fromEntries(wrapped) as HostRecord);
  const state = stateOf();
  const loaded = await initialise(state, path);
  expect(state.encoder.parameters["conv1.weight"].data).toEqual(parameters["conv1.weight"].data);
  expect(describeLoaded(loaded)).toContain(
    'moco.safetensors; looked through "module.encoder_q." in front of names; not in the file',
  );
});

test("weights that hold NaN are refused by name", async () => {
  const path = join(folder, "nan.safetensors");
  await writeSafetensors(path, { "conv1.weight": full([4, 3, 3, 3], NaN) });
  await expect(initialise(stateOf(), path)).rejects.toThrow(
    /^init: .*nan\.safetensors": conv1\.weight holds NaN at place 0/,
  );
});

test("weights of another width are refused with both shapes", async () => {
  await expect(initialise(stateOf(6), await torchvision())).rejects.toThrow(
    /fits the encoder: \S+ is \[[\d, ]+\] in the file, here \[[\d, ]+\]/,
  );
});
