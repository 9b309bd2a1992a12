import { readFileSync } from "node:fs";

import { numpy as np } from "@jax-js/jax";
import { describe, expect, test } from "vitest";

import { evaluate, float64, numbers } from "../testing/arrays.ts";
import { expectNear, type GoldenCase, goldenCases, goldenPresent } from "../../test/golden.ts";
import { type Rows, sample, sceneOf, viewsOfImages } from "../testing/scene.ts";
import { l2Normalize } from "../core/numerics.ts";
import type { Sampler } from "./sampler.ts";
import { infoNce } from "../losses/infoNce.ts";
import { labels } from "./labels.ts";
import { oracle } from "./oracle.ts";

type Case = GoldenCase<
  { temperature: number; baseTemperature: number; variant: string; anchors: string },
  { view1: Rows; view2?: Rows; labels: number[] },
  { perAnchor: number[] }
>;

/** infoNce of two views after a sampler that goes by labels, one number an anchor. */
async function lossOf(
  sampler: Sampler,
  views: Rows[],
  marks: number[],
  { temperature, options = {} }: { temperature: number; options?: Record<string, unknown> },
) {
  const rows = views.flat();
  const lists = viewsOfImages(rows.length, views.length);
  const labelsOf = { labels: views.flatMap(() => marks) };
  const each = await evaluate(
    (x: np.Array) => {
      const unit = l2Normalize(x); // [N, E]
      const similarity = np.matmul(unit.ref, unit.transpose()); // [N, N]
      const { dtype } = similarity;
      const scene = sceneOf({
        similarity: similarity.ref,
        views: views.length,
        anchors: labelsOf,
        candidates: labelsOf,
      });
      const pairs = {
        positive: np.array(lists.positive, { dtype }),
        negative: np.array(lists.negative, { dtype }),
      };
      const { terms } = sampler.apply(scene, pairs, options);
      return infoNce(similarity, terms[0].pairs, { temperature });
    },
    float64([rows.length, rows[0].length], rows.flat()),
  );
  return numbers(each);
}

const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe("labels", () => {
  const marks = { labels: [4, 5, 4, -1, 4, 5, 4, -1] };
  const scene = {
    similarity: Array.from({ length: 8 }, () => Array<number>(8).fill(0.1)),
    views: 2,
    anchors: marks,
    candidates: marks,
  };
  const pairs = viewsOfImages(8, 2);

  test("negatives of one label become positives; unknown images stay negatives", async () => {
    const { positive, negative } = await sample(labels, scene, pairs);
    expect(positive[0]).toEqual([0, 0, 1, 0, 1, 0, 1, 0]);
    expect(negative[0]).toEqual([0, 1, 0, 1, 0, 1, 0, 1]);
    expect(positive[3]).toEqual(pairs.positive[3]);
    expect(negative[3]).toEqual(pairs.negative[3]);
  });

  test("a pair that is no negative is not promoted, and a weight moves as it is", async () => {
    const given = { positive: pairs.positive, negative: pairs.negative.map((row) => [...row]) };
    given.negative[0][2] = 0;
    given.negative[0][6] = 0.5;
    const { positive, negative } = await sample(labels, scene, given);
    expect(positive[0]).toEqual([0, 0, 0, 0, 1, 0, 0.5, 0]);
    expect(negative[0]).toEqual([0, 1, 0, 1, 0, 1, 0, 1]);
  });

  const chosen = goldenCases<Case>("supCon").filter(
    ({ params, inputs }) => params.variant === "out" && params.anchors === "all" && inputs.view2,
  );
  test.skipIf(!goldenPresent)("are the pairs of SupCon (needs ../shared/golden)", async () => {
    expect(chosen.length).toBeGreaterThan(0);
    for (const { id, params, inputs, expect: want } of chosen) {
      const { temperature, baseTemperature } = params;
      const each = await lossOf(labels, [inputs.view1, inputs.view2!], inputs.labels, {
        temperature,
      });
      const scaled = each.map((value) => (value * temperature) / baseTemperature);
      expectNear(scaled, want.perAnchor, 1e-9, id);
    }
  });
});

describe("labels and oracle: older reference values", () => {
  const file = new URL("../../../shared/golden/sampling.json", import.meta.url);
  type Baselines = {
    tau: number;
    raw_view1: Rows;
    raw_view2: Rows;
    labels: number[];
    results: Record<string, number>;
  };
  test.skipIf(!goldenPresent)("agree (needs ../shared/golden)", async () => {
    const { baselines } = JSON.parse(readFileSync(file, "utf8")) as { baselines: Baselines };
    const { tau: temperature, results } = baselines;
    const views = [baselines.raw_view1, baselines.raw_view2];
    const loss = async (sampler: Sampler, options = {}) =>
      mean(await lossOf(sampler, views, baselines.labels, { temperature, options }));
    expect(await loss(labels as unknown as Sampler)).toBeCloseTo(results.supcon_out_labels, 9);
    const picked = oracle as unknown as Sampler;
    expect(await loss(picked)).toBeCloseTo(results.true_negative_oracle, 9);
    expect(await loss(picked, { massPreserving: true })).toBeCloseTo(
      results.true_negative_oracle_mass_preserving,
      9,
    );
    expect(await loss(picked, { action: "attract" })).toBeCloseTo(results.supcon_out_labels, 9);
  });
});
