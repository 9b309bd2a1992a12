import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";

import { numpy as np } from "@jax-js/jax";
import { describe, expect, test } from "vitest";
import { z } from "zod";

import { loadPlugins } from "../src/train/index.ts";
import { catalogues } from "../src/frameworks/index.ts";
import {
  defineMixer,
  defineSampler,
  type Mixer,
  mixers,
  type Sampler,
  samplers,
} from "../src/sampling/index.ts";
import { checkPart } from "../src/testing/index.ts";

const parts: [string, Sampler | Mixer][] = [
  ...Object.entries<Sampler>(samplers),
  ...Object.entries<Mixer>(mixers),
];

test("the catalogues list every sampler and mixer under the name of its file", () => {
  const folder = new URL("../src/sampling/", import.meta.url);
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const sources = files.filter(
    (file) => /\.ts$/.test(file) && !/\.test\.|^(sampler|mixer)\.ts/.test(file),
  );
  const defined = sources.flatMap((file) => {
    const text = readFileSync(new URL(file, folder), "utf8");
    const [, name] = /^export const (\w+) = define(?:Sampler|Mixer)\(/m.exec(text) ?? [];
    if (name !== undefined) expect(basename(file)).toBe(`${name}.ts`);
    return name === undefined ? [] : [name];
  });
  expect(parts.map(([name]) => name).sort()).toEqual(defined.sort());
});

describe.each(parts)("every sampler and mixer: %s", (name, part) => {
  test("keeps the contract", async () => {
    expect(await checkPart(part)).toEqual([]);
  });

  test("has its own name, a source with a year, and a warm-up among its options", () => {
    expect(part.name).toBe(name);
    expect(part.source).toMatch(/\d{4}/);
    for (const meaning of Object.values(part.metrics)) expect(meaning).toBeTruthy();
    expect(part.warmup).toBe((part.options.parse({}) as { warmup: number }).warmup);
  });
});

test("the example of a plugin keeps it too", async () => {
  await loadPlugins([new URL("../examples/parts.js", import.meta.url).pathname]);
  const { loss, sampler } = catalogues as unknown as Record<string, Record<string, Sampler>>;
  expect([await checkPart(loss.margin), await checkPart(sampler.harder)]).toEqual([[], []]);
});

describe("a sampler that breaks the contract is told how", () => {
  const all = { dropped: "d", promoted: "p", demoted: "m", weighted: "w" };
  const about = { name: "broken", summary: "Broken.", source: "this test, 2026", reasons: all };
  const options = z.strictObject({});
  let [count, calls] = [0, 0];
  const broken: Record<string, [RegExp, Partial<Parameters<typeof defineSampler>[0]>]> = {
    "makes the anchor its own negative": [
      /gives weight to a pair that had none, as the anchor with itself/,
      { apply: (_, { positive, negative }) => ({ positive, negative: np.onesLike(negative) }) },
    ],
    "has no word for what it drops": [
      /drops a pair, for which `reasons` has no word/,
      {
        reasons: {},
        apply: (_, { positive, negative }) => ({ positive, negative: negative.mul(0) }),
      },
    ],
    "weighs by less than nothing": [
      /not finite or below 0/,
      { apply: (_, { positive, negative }) => ({ positive, negative: negative.mul(-1) }) },
    ],
    "gives a gradient": [
      /lets a gradient through its weights/,
      {
        apply: ({ similarity }, { positive, negative }) => ({
          positive,
          negative: negative.mul(similarity.ref.add(2)),
        }),
      },
    ],
    "counts in a variable": [
      /the same arguments do not give the same/,
      {
        apply: (_, { positive, negative }) => ({ positive, negative: negative.mul(++count) }),
      },
    ],
    "remembers beside its state": [
      /a step from the same state does not give the same/,
      {
        state: () => ({
          seen: { dtype: "float32", shape: [], data: new Float32Array(1) } as never,
        }),
        apply: ({ state }, pairs) => ({
          terms: [{ pairs }],
          // the first calls agree, later ones do not
          state: { seen: state.seen.add(++calls > 6 ? calls : 0) },
        }),
      },
    ],
    "looks at places": [
      /the order of the images in a batch changes more/,
      {
        apply: (_, { positive, negative }) => {
          const [n, m] = negative.shape;
          const scale = np.arange(m).astype(negative.dtype).add(1).reshape([1, m]);
          return { positive, negative: negative.mul(np.broadcastTo(scale, [n, m])) };
        },
      },
    ],
    "reports what it does not declare": [
      /reports odd, which `metrics` does not declare/,
      { apply: (_, pairs) => ({ terms: [{ pairs }], metrics: { odd: np.array(1) } }) },
    ],
    "gives another shape": [
      /not \[N, M\] and \[N\]/,
      {
        apply: (_, { positive, negative }) => ({
          positive,
          negative: negative.sum(1, { keepdims: true }),
        }),
        gates: true,
      },
    ],
    "uses an array after it is gone": [
      /throws: /,
      { apply: ({ similarity }, pairs) => (similarity.dispose(), similarity.dispose(), pairs) },
    ],
    "does not say what it is": [/summary is no sentence/, { summary: "" }],
  };
  test.each(Object.entries(broken))("%s", async (_, [what, more]) => {
    const sampler = defineSampler({ ...about, options, apply: (_, pairs) => pairs, ...more });
    expect((await checkPart(sampler)).join("\n")).toMatch(what);
  });

  test("so is a mixer", async () => {
    const mixer = defineMixer({
      name: "broken",
      summary: "Broken.",
      source: "this test, 2026",
      options,
      apply: ({ similarity }, { positive, negative }) => {
        positive.dispose();
        return { similarity: similarity.ref.mul(2), negative };
      },
    });
    const found = (await checkPart(mixer)).join("\n");
    expect(found).toContain("gives a similarity that is no cosine");
  });
});
