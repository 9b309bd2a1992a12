import { nn, numpy as np } from "@jax-js/jax";
import { z } from "zod";

import { Epsilon } from "../core/ranges.ts";
import { activations, Activation } from "./activations.ts";
import type { Initial } from "./initial.ts";
import { combine, type Layer, sequence, skip } from "./layer.ts";
import { linear } from "./layers.ts";
import { layerNorm } from "./normalisation.ts";
import type { Rotations } from "./positions.ts";

/** Options of blocks that end in an MLP. */
export const blockOptions = {
  expansion: z
    .number()
    .min(0.01)
    .max(64)
    .default(4)
    .describe("hidden width of a block's MLP over its width"),
  activation: Activation.default("gelu").describe("function between the layers of an MLP"),
  layerScale: z
    .number()
    .min(-1e4)
    .max(1e4)
    .optional()
    .describe("learned factors of each block's results, which start so; none unless given"),
  epsilon: Epsilon.default(1e-6).describe("added to variances of norms"),
};

/** How the matrices of a transformer start. */
export const narrow: Initial = { kind: "truncatedNormal", deviation: 0.02 };

/** Widths of attention. */
export type AttentionOptions = {
  readonly dimension: number;
  readonly heads: number;
  readonly bias: boolean;
  /** Turns queries and keys by the places of their tokens. */
  readonly rotations?: Rotations | undefined;
};

/** x · cos + (−second half, first half) · sin, for x [N, heads, T, size]. */
function turned(x: np.Array, { cos, sin }: Rotations): np.Array {
  const shape = x.shape.slice(2); // [T, size]
  const [first, second] = np.split(x.ref, 2, -1); // [N, heads, T, size / 2]
  const across = np.concatenate([second.mul(-1), first], -1); // [N, heads, T, size]
  return x.mul(np.array(cos, { shape })).add(across.mul(np.array(sin, { shape })));
}

/** What queries find: [N, heads, Q, size] in keys and values [N, heads, T, size] as [N, Q, heads · size]. */
function attend(query: np.Array, key: np.Array, value: np.Array): np.Array {
  const [n, heads, queries, size] = query.shape;
  const scores = np.matmul(query.mul(1 / Math.sqrt(size)), key.transpose([0, 1, 3, 2]));
  const weights = nn.softmax(scores, -1); // [N, heads, Q, T]
  const seen = np.matmul(weights, value).transpose([0, 2, 1, 3]); // [N, Q, heads, size]
  return seen.reshape([n, queries, heads * size]);
}

/** [N, T, count · D] as `count` arrays [N, heads, T, D / heads]. */
function inHeads(x: np.Array, count: number, heads: number): np.Array[] {
  const [n, tokens, width] = x.shape;
  const size = width / count / heads;
  const mixed = x.reshape([n, tokens, count, heads, size]).transpose([2, 0, 3, 1, 4]); // [count, N, heads, T, size]
  return np.split(mixed, count, 0).map((part) => part.reshape([n, heads, tokens, size]));
}

/** Every token looks at every other: [N, T, D] to [N, T, D]. Names as in timm: `attn.qkv`, `attn.proj`. */
export function attention(name: string, options: AttentionOptions): Layer {
  const { dimension, heads, bias, rotations } = options;
  const qkv = linear(`${name}.qkv`, dimension, 3 * dimension, { initial: narrow, bias });
  const proj = linear(`${name}.proj`, dimension, dimension, { initial: narrow });
  const turn = (x: np.Array) => (rotations === undefined ? x : turned(x, rotations));
  return combine([qkv, proj], (scope, x) => {
    const [query, key, value] = inHeads(qkv.apply(scope, x), 3, heads);
    return proj.apply(scope, attend(turn(query), turn(key), value)); // [N, T, D]
  });
}

/** Widths and function of the two layers of an MLP. */
export type MlpOptions = {
  readonly dimension: number;
  readonly hidden: number;
  readonly activation: Activation;
  /** One half of the hidden layer, behind the activation, multiplies the other. */
  readonly gated: boolean;
};

/**
 * Two linear layers, [N, T, D] to [N, T, D]; gated as by Shazeer 2020, arXiv:2002.05202. Names as in timm: `fc1`, `fc2`;
 * gated `fc1_g`, `fc1_x`, `fc2`.
 */
export function mlp(name: string, { dimension, hidden, activation, gated }: MlpOptions): Layer {
  const into = (part: string) => linear(`${name}.${part}`, dimension, hidden, { initial: narrow });
  const out = linear(`${name}.fc2`, hidden, dimension, { initial: narrow });
  const act = activations[activation];
  if (!gated) return sequence([into("fc1"), act, out]);
  const [gate, value] = [into("fc1_g"), into("fc1_x")];
  return combine([gate, value, out], (scope, x) => {
    const open = act.apply(scope, gate.apply(scope, x.ref)); // [N, T, hidden]
    return out.apply(scope, open.mul(value.apply(scope, x)));
  });
}

/**
 * One learned query looks at all tokens, an MLP behind it: [N, T, D] to [N, D] (Zhai et al. 2022, arXiv:2106.04560).
 * Names as in timm.
 */
export function attentionPool(
  name: string,
  options: MlpOptions & { heads: number; epsilon: number },
): Layer {
  const { dimension, heads } = options;
  const size = dimension / heads;
  const own: Layer = {
    parameters: {
      [`${name}.latent`]: { shape: [1, 1, dimension], decay: false, initial: narrow },
    },
    statistics: {},
    apply: (_scope, x) => x,
  };
  const q = linear(`${name}.q`, dimension, dimension, { initial: narrow });
  const kv = linear(`${name}.kv`, dimension, 2 * dimension, { initial: narrow });
  const proj = linear(`${name}.proj`, dimension, dimension, { initial: narrow });
  const behind = skip(
    sequence([layerNorm(`${name}.norm`, dimension, options.epsilon), mlp(`${name}.mlp`, options)]),
  );
  return combine([own, q, kv, proj, behind], (scope, x) => {
    const [n] = x.shape;
    const latent = q.apply(scope, scope.take(`${name}.latent`)).reshape([1, heads, 1, size]);
    const query = np.broadcastTo(latent, [n, heads, 1, size]);
    const [key, value] = inHeads(kv.apply(scope, x), 2, heads);
    const seen = proj.apply(scope, attend(query, key, value)); // [N, 1, D]
    return behind.apply(scope, seen).reshape([n, dimension]);
  });
}
