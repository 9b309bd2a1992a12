import type { numpy as np } from "@jax-js/jax";
import { describe, expect, test } from "vitest";

import type { HostArray, HostRecord } from "../src/core/arrays.ts";
import { randomStream } from "../src/core/random.ts";
import {
  encoders,
  type HostVariables,
  type Network,
  type Variables,
} from "../src/encoders/index.ts";
import { compile } from "../src/engine/index.ts";
import { float32 } from "../src/testing/arrays.ts";
import {
  attend,
  convolve,
  each,
  functions,
  layerNorm,
  linear,
  type Maps,
  meanOf,
  pooled,
  runningNorm,
  sum,
} from "./reference/networkLoops.ts";

const SIZE = 8;
const stream = randomStream(5, "loops");
const pixels = Array.from({ length: 3 * SIZE * SIZE }, () => stream.normal());
const image: Maps = Array.from({ length: 3 }, (_, c) =>
  Array.from({ length: SIZE }, (__, row) =>
    pixels.slice((c * SIZE + row) * SIZE, (c * SIZE + row + 1) * SIZE),
  ),
);

/** Variables far from where training starts: every array matters. */
function lively(network: Network): HostVariables {
  const { parameters, statistics } = network.init(2);
  for (const [name, { data }] of Object.entries({ ...parameters, ...statistics })) {
    const positive = name.endsWith("running_var");
    data.forEach((_, i) => (data[i] = positive ? stream.uniform(0.5, 2) : 0.6 * stream.normal()));
  }
  return { parameters, statistics };
}

/** Compares features of the compiled encoder with those of loops. */
async function expectFeatures(network: Network, loops: (arrays: HostRecord) => number[]) {
  const variables = lively(network);
  const apply = (v: Variables, x: np.Array) => network.apply(v, x, { training: false }).features;
  const images = float32([1, 3, SIZE, SIZE], pixels);
  const program = await compile(apply, [variables, images], { tune: false });
  const { data } = (await program.run(variables, images)) as HostArray;
  await program.dispose();
  const expected = loops({ ...variables.parameters, ...variables.statistics });
  expect(data).toHaveLength(expected.length);
  const largest = Math.max(...expected.map(Math.abs));
  expected.forEach((value, i) => expect(Math.abs(data[i] - value) / largest).toBeLessThan(1e-5));
}

type Vit = {
  dimension: number;
  heads: number;
  depth: number;
  activation: string;
  gated: boolean;
  epsilon: number;
};

/** A pre-norm block with layer scale; `turn` moves queries and keys of token t. */
function block(
  arrays: HostRecord,
  x: number[][],
  { dimension, heads, activation, gated, epsilon }: Vit,
  turn: (x: number[], token: number) => number[],
): number[][] {
  const scaled = (name: string, y: number[]) =>
    y.map((value, i) => value * (arrays[`blocks.0.${name}.gamma`]?.data[i] ?? 1));
  const qkv = x.map((row) =>
    linear(arrays, "blocks.0.attn.qkv", layerNorm(arrays, "blocks.0.norm1", row, epsilon)),
  );
  const part = (i: number) => qkv.map((row) => row.slice(i * dimension, (i + 1) * dimension));
  const seen = attend(part(0).map(turn), part(1).map(turn), part(2), heads);
  const after = x.map((row, t) => {
    const found = scaled("ls1", linear(arrays, "blocks.0.attn.proj", seen[t]));
    return row.map((value, i) => value + found[i]);
  });
  const f = functions[activation];
  return after.map((row) => {
    const normed = layerNorm(arrays, "blocks.0.norm2", row, epsilon);
    const first = (name: string) => linear(arrays, `blocks.0.mlp.${name}`, normed);
    const value = gated ? first("fc1_x") : undefined;
    const hidden = first(gated ? "fc1_g" : "fc1").map((v, i) => f(v) * (value?.[i] ?? 1));
    const found = scaled("ls2", linear(arrays, "blocks.0.mlp.fc2", hidden));
    return row.map((v, i) => v + found[i]);
  });
}

const vectors = ({ data, shape }: HostArray): number[][] => {
  const width = shape.at(-1)!;
  return Array.from({ length: data.length / width }, (_, i) =>
    Array.from(data.subarray(i * width, (i + 1) * width)),
  );
};

/** Patches of 4 pixels as tokens. */
const patchesOf = (arrays: HostRecord): number[][] => {
  const maps = convolve(arrays, "patch_embed.proj", image, {
    stride: 4,
    before: 0,
    side: 2,
    groups: 1,
  });
  return [0, 1, 2, 3].map((p) => maps.map((rows) => rows[p >> 1][p & 1]));
};

describe("encoders agree with loops over plain numbers", () => {
  const shape = { dimension: 8, heads: 1, depth: 1, patch: 4, expansion: 2 };
  const vit = { ...shape, epsilon: 1e-5, layerScale: 1, registers: 2 };

  test("a transformer with registers, rotary positions, gates and a mean of patches", async () => {
    const options = { activation: "silu" as const, gated: true, pooling: "mean" as const };
    const full = { ...vit, ...options, positions: "rotary" as const };
    // coordinates of the four patches are ±1/2; frequencies 1 and 100^(−1/2)
    const turn = (x: number[], token: number) => {
      if (token < 3) return x;
      const patch = token - 3;
      const at = [(patch >> 1) - 0.5, (patch & 1) - 0.5];
      return x.map((value, d) => {
        const angle = 2 * Math.PI * at[Math.floor((d % 4) / 2)] * (d % 2 === 0 ? 1 : 0.1);
        const other = d < 4 ? -x[d + 4] : x[d - 4];
        return value * Math.cos(angle) + other * Math.sin(angle);
      });
    };
    await expectFeatures(encoders.vit(full, { imageSize: SIZE }), (arrays) => {
      const tokens = [...vectors(arrays.cls_token), ...vectors(arrays.reg_token)];
      const x = block(arrays, [...tokens, ...patchesOf(arrays)], full, turn);
      return meanOf(x.slice(3).map((row) => layerNorm(arrays, "norm", row, 1e-5)));
    });
  });

  test.each(["all", "class", "patches"] as const)(
    "a transformer with positions of %s, a norm before the blocks and the class token",
    async (positions) => {
      const full = { ...vit, heads: 2, activation: "quickGelu" as const, gated: false, positions };
      const network = encoders.vit({ ...full, preNorm: true }, { imageSize: SIZE });
      await expectFeatures(network, (arrays) => {
        const [first, registers] = [vectors(arrays.cls_token), vectors(arrays.reg_token)];
        const places = vectors(arrays.pos_embed);
        const placed = {
          all: [0, 1, 2, 3, 4, 5, 6],
          class: [0, 3, 4, 5, 6],
          patches: [3, 4, 5, 6],
        };
        const x = [...first, ...registers, ...patchesOf(arrays)].map((row, t) => {
          const at = placed[positions].indexOf(t);
          return at < 0 ? row : row.map((value, i) => value + places[at][i]);
        });
        const before = x.map((row) => layerNorm(arrays, "norm_pre", row, 1e-5));
        return layerNorm(arrays, "norm", block(arrays, before, full, (row) => row)[0], 1e-5);
      });
    },
  );

  test("a transformer whose features a learned query finds", async () => {
    const full = {
      ...shape,
      epsilon: 1e-6,
      heads: 2,
      activation: "geluTanh" as const,
      gated: false,
    };
    const options = { classToken: false, pooling: "attention" as const };
    const network = encoders.vit({ ...full, ...options }, { imageSize: SIZE });
    await expectFeatures(network, (arrays) => {
      const places = vectors(arrays.pos_embed);
      const x = patchesOf(arrays).map((row, t) => row.map((value, i) => value + places[t][i]));
      const tokens = block(arrays, x, full, (row) => row).map((row) =>
        layerNorm(arrays, "norm", row, 1e-6),
      );
      const query = linear(arrays, "attn_pool.q", vectors(arrays["attn_pool.latent"])[0]);
      const kv = tokens.map((row) => linear(arrays, "attn_pool.kv", row));
      const keys = kv.map((row) => row.slice(0, 8));
      const [seen] = attend(
        [query],
        keys,
        kv.map((row) => row.slice(8)),
        2,
      );
      const found = linear(arrays, "attn_pool.proj", seen);
      const normed = layerNorm(arrays, "attn_pool.norm", found, 1e-6);
      const hidden = linear(arrays, "attn_pool.mlp.fc1", normed).map(functions.geluTanh);
      const more = linear(arrays, "attn_pool.mlp.fc2", hidden);
      return found.map((value, i) => value + more[i]);
    });
  });

  test("ConvNeXt 2", async () => {
    const options = { depths: [1, 1], widths: [3, 4], patch: 2, kernel: 3, expansion: 2 };
    const network = encoders.convnext({ ...options, globalResponse: true, layerScale: 1 });
    await expectFeatures(network, (arrays) => {
      const columns = (x: Maps, f: (v: number[]) => number[]): Maps => {
        const made = x[0].map((row, i) => row.map((_, j) => f(x.map((rows) => rows[i][j]))));
        return made[0][0].map((_, c) => made.map((row) => row.map((v) => v[c])));
      };
      const norm = (x: Maps, name: string) => columns(x, (v) => layerNorm(arrays, name, v, 1e-6));
      const stage = (x: Maps, name: string, side: number): Maps => {
        const geometry = { stride: 1, before: 1, side, groups: x.length };
        const y = norm(convolve(arrays, `${name}.conv_dw`, x, geometry), `${name}.norm`);
        const wide = columns(y, (v) => linear(arrays, `${name}.mlp.fc1`, v).map(functions.gelu));
        const strength = wide.map((rows) => Math.hypot(...rows.flat()));
        const middle = strength.reduce((a, b) => a + b, 0) / strength.length;
        const [weight, bias] = ["weight", "bias"].map(
          (part) => arrays[`${name}.mlp.grn.${part}`].data,
        );
        const response = each(
          wide,
          (v, c) => v * (strength[c] / (middle + 1e-6)) * weight[c] + bias[c] + v,
        );
        const out = columns(response, (v) => linear(arrays, `${name}.mlp.fc2`, v));
        return sum(
          x,
          each(out, (v, c) => v * arrays[`${name}.gamma`].data[c]),
        );
      };
      const patch = { stride: 2, before: 0, groups: 1 };
      const stem = norm(convolve(arrays, "stem.0", image, { ...patch, side: 4 }), "stem.1");
      const first = stage(stem, "stages.0.blocks.0", 4);
      const down = norm(first, "stages.1.downsample.0");
      const half = convolve(arrays, "stages.1.downsample.1", down, { ...patch, side: 2 });
      const last = pooled(stage(half, "stages.1.blocks.0", 2));
      return layerNorm(arrays, "head.norm", last, 1e-6);
    });
  });

  test.each([true, false])("MobileNet, SAME padding %s", async (samePadding) => {
    const stages = [
      [{ kind: "separable" as const, kernel: 3, stride: 1, hidden: 4, outputs: 4, squeeze: 2 }],
      [{ kind: "inverted" as const, kernel: 5, stride: 2, hidden: 6, outputs: 5, squeeze: 3 }],
    ];
    const network = encoders.mobilenet({
      stem: 4,
      stages,
      head: 3,
      headPooled: true,
      activation: "hardSwish",
      gate: "hardSigmoid",
      samePadding,
    });
    await expectFeatures(network, (arrays) => {
      const act = functions.hardSwish;
      const norm = (name: string, x: Maps) => runningNorm(arrays, name, x, 1e-3);
      // from 8 to 4 to 2: SAME has nothing before an even size at 3 × 3, one pixel at 5 × 5
      const before = samePadding ? [0, 1] : [1, 2];
      const excite = (name: string, x: Maps) => {
        const small = linear(arrays, `${name}.conv_reduce`, pooled(x)).map(functions.relu);
        const gate = linear(arrays, `${name}.conv_expand`, small);
        return each(x, (v, c) => (v * functions.relu6(gate[c] + 3)) / 6);
      };
      const one = (name: string, x: Maps, side: number) =>
        convolve(arrays, name, x, { stride: 1, before: 0, side, groups: 1 });
      const stem = convolve(arrays, "conv_stem", image, {
        stride: 2,
        before: before[0],
        side: 4,
        groups: 1,
      });
      const x = each(norm("bn1", stem), act);
      const wide = convolve(arrays, "blocks.0.0.conv_dw", x, {
        stride: 1,
        before: 1,
        side: 4,
        groups: 4,
      });
      const first = excite("blocks.0.0.se", each(norm("blocks.0.0.bn1", wide), act));
      const y = sum(x, norm("blocks.0.0.bn2", one("blocks.0.0.conv_pw", first, 4)));
      const grown = each(norm("blocks.1.0.bn1", one("blocks.1.0.conv_pw", y, 4)), act);
      const deep = convolve(arrays, "blocks.1.0.conv_dw", grown, {
        stride: 2,
        before: before[1],
        side: 2,
        groups: 6,
      });
      const second = excite("blocks.1.0.se", each(norm("blocks.1.0.bn2", deep), act));
      const z = norm("blocks.1.0.bn3", one("blocks.1.0.conv_pwl", second, 2));
      return linear(arrays, "conv_head", pooled(z)).map(act);
    });
  });
});
