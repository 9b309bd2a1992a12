import { describe, expect, test } from "vitest";

import type { HostArray, HostRecord } from "../src/core/arrays.ts";
import { compile, type SpecTree } from "../src/engine/index.ts";
import { asHostTree, type Framework, ofChain, type Recorder } from "../src/frameworks/index.ts";
import { openConfig } from "../src/config/automatic.ts";
import { methodNames } from "../src/train/index.ts";
import { frameworkOf } from "../src/train/session.ts";
import { someBatch, stepper } from "./tinyFramework.ts";

const facts = { images: 32, shortSide: 8, labelled: true };
const small = {
  data: "x",
  encoder: { name: "resnet", width: 2, blocks: [1] },
  batchSize: 4,
  imageSize: 8,
  head: { dimension: 4 },
};

function methodFramework(method: string) {
  const ring = { samplers: [{ name: "ring", outer: 0.75, inner: 0.3, anneal: 0 }] };
  const given = { ...small, method, ...(method === "ring" ? ring : {}) };
  return frameworkOf(openConfig(given, facts).config, facts.images);
}

const labelled = (framework: Framework, seed: number, first: number) => {
  const loaded = someBatch(framework, seed, first);
  return { ...loaded, labels: loaded.ids.map((id) => id % 2) };
};

const at = (step: number, progress: number) => ({ learningRate: 0.02, step, progress });

/** Recorded arrays of all anchors of the third step, and the loss of that step. */
async function thirdStep(framework: Framework) {
  const step = await stepper(framework, "cpu");
  let state = framework.init();
  for (const k of [0, 1]) {
    state = (await step(state, labelled(framework, k, 4 * k), 0.02, k)).state;
  }
  const loaded = labelled(framework, 2, 8);
  const anchors = framework.recorder!(1).chains[0].anchorViews * framework.batchSize;
  const recorder: Recorder = framework.recorder!(anchors);
  const example = [asHostTree(state), recorder.batchSpec] as SpecTree[];
  const program = await compile(
    (...args: never[]) => recorder.program(...(args as [never, never])),
    example,
    { device: "cpu" },
  );
  const rows = Int32Array.from({ length: anchors }, (_, i) => i);
  const recorded = (await program.run(
    asHostTree(state),
    recorder.batch(loaded, at(2, 0.5), rows),
  )) as HostRecord;
  const { metrics } = await step(state, loaded, 0.02, 2);
  return { recorder, recorded, loss: metrics.loss };
}

const mean = ({ data }: HostArray) => Array.from(data).reduce((a, b) => a + b, 0) / data.length;

describe("recorded pairs of every method", () => {
  test.each(methodNames.filter((name) => methodFramework(name).recorder !== undefined))(
    "%s: the losses of all anchors are the loss of the step",
    async (method) => {
      const { recorder, recorded, loss } = await thirdStep(methodFramework(method));
      const losses = recorder.chains.map(({ key }) => mean(ofChain(recorded, key).loss));
      const together = losses.reduce((a, b) => a + b, 0) / losses.length;
      expect(Math.abs(together - loss)).toBeLessThan(1e-5);
      for (const { key, links, columns } of recorder.chains) {
        const arrays = ofChain(recorded, key);
        expect(arrays.force.shape).toEqual(arrays.similarity.shape);
        expect(Object.keys(arrays)).toContain(`stage${links.length}.positive`);
        expect(columns.reduce((sum, { count }) => sum + count, 0)).toBe(arrays.ids.data.length);
        expect(arrays.force.data.some((value) => value > 0)).toBe(true);
      }
    },
  );
});
