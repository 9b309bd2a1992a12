import { lax, nn, numpy as np } from "@jax-js/jax";
import { z } from "zod";

import { ConfigError } from "../core/errors.ts";
import type { Initial, InitialSpec } from "./initial.ts";
import { combine, type Layer, plain, sequence } from "./layer.ts";
import { conv, linear } from "./layers.ts";
import { defineEncoder, type EncoderContext } from "./network.ts";
import { layerNorm } from "./normalisation.ts";

const narrow: Initial = { kind: "truncatedNormal", deviation: 0.02 };

const VitOptions = z.strictObject({
  dimension: z.int().positive().default(192).describe("width of a token, and of the features"),
  depth: z.int().positive().default(12).describe("number of blocks"),
  heads: z.int().positive().default(3).describe("attention heads; divide the width"),
  patch: z
    .union([z.literal("auto"), z.int().positive()])
    .default("auto")
    .describe(
      "side of a patch in pixels; auto takes 16 for images of 128 px or more, 8 from 64, else 4",
    ),
  expansion: z
    .number()
    .positive()
    .default(4)
    .describe("hidden width of a block's MLP over its width"),
});
type VitOptions = z.output<typeof VitOptions>;

/** x/2 · (1 + erf(x/√2)), the exact form. */
const gelu = plain((x) => x.ref.mul(0.5).mul(lax.erf(x.mul(Math.SQRT1_2)).add(1)));

/** Every token looks at every other: [N, T, D] to [N, T, D]. Names as in timm: `attn.qkv`, `attn.proj`. */
function attention(name: string, dimension: number, heads: number): Layer {
  const qkv = linear(`${name}.qkv`, dimension, 3 * dimension, { initial: narrow });
  const proj = linear(`${name}.proj`, dimension, dimension, { initial: narrow });
  const size = dimension / heads;
  return combine([qkv, proj], (scope, x) => {
    const [n, tokens] = x.shape;
    const mixed = qkv
      .apply(scope, x) // [N, T, 3D]
      .reshape([n, tokens, 3, heads, size])
      .transpose([2, 0, 3, 1, 4]); // [3, N, heads, T, size]
    const [query, key, value] = np
      .split(mixed, 3, 0)
      .map((part) => part.reshape([n, heads, tokens, size]));
    const scores = np.matmul(query.mul(1 / Math.sqrt(size)), key.transpose([0, 1, 3, 2]));
    const weights = nn.softmax(scores, -1); // [N, heads, T, T]
    const seen = np.matmul(weights, value).transpose([0, 2, 1, 3]); // [N, T, heads, size]
    return proj.apply(scope, seen.reshape([n, tokens, dimension])); // [N, T, D]
  });
}

/** x + f(x). */
function skip(body: Layer): Layer {
  return combine([body], (scope, x) => body.apply(scope, x.ref).add(x));
}

function block(name: string, { dimension, heads, expansion }: VitOptions): Layer {
  const hidden = Math.round(dimension * expansion);
  return sequence([
    skip(
      sequence([
        layerNorm(`${name}.norm1`, dimension),
        attention(`${name}.attn`, dimension, heads),
      ]),
    ),
    skip(
      sequence([
        layerNorm(`${name}.norm2`, dimension),
        linear(`${name}.mlp.fc1`, dimension, hidden, { initial: narrow }),
        gelu,
        linear(`${name}.mlp.fc2`, hidden, dimension, { initial: narrow }),
      ]),
    ),
  ]);
}

/** Patches to tokens with a class token in front and positions added: [N, 3, S, S] to [N, 1 + P, D]. */
function tokens(dimension: number, patch: number, side: number): Layer {
  const embed = conv("patch_embed.proj", 3, dimension, {
    ...{ kernel: patch, stride: patch, bias: true },
    initial: narrow,
  });
  const count = side * side;
  const learned = (shape: number[]): InitialSpec => ({ shape, decay: false, initial: narrow });
  const own: Layer = {
    parameters: {
      cls_token: learned([1, 1, dimension]),
      pos_embed: learned([1, 1 + count, dimension]),
    },
    statistics: {},
    apply: (_scope, x) => x,
  };
  return combine([own, embed], (scope, x) => {
    const n = x.shape[0];
    const patches = embed.apply(scope, x).reshape([n, dimension, count]).transpose([0, 2, 1]); // [N, P, D]
    const first = np.broadcastTo(scope.take("cls_token"), [n, 1, dimension]); // [N, 1, D]
    return np.concatenate([first, patches], 1).add(scope.take("pos_embed")); // [N, 1 + P, D]
  });
}

function sidesOf({ patch }: VitOptions, { imageSize }: EncoderContext) {
  const size = patch === "auto" ? (imageSize >= 128 ? 16 : imageSize >= 64 ? 8 : 4) : patch;
  if (imageSize % size !== 0) {
    throw new ConfigError(
      `vit: images of ${imageSize} px do not divide into patches of ${size} px`,
      "set patch to a divisor of the image size",
    );
  }
  return { size, side: imageSize / size };
}

function build(options: VitOptions, context: EncoderContext) {
  const { dimension, depth, heads } = options;
  if (dimension % heads !== 0) {
    throw new ConfigError(`vit: dimension ${dimension} does not divide into ${heads} heads`);
  }
  const { size, side } = sidesOf(options, context);
  const blocks = Array.from({ length: depth }, (_, i) => block(`blocks.${i}`, options));
  const first = plain((x) => x.slice([], 0)); // [N, T, D] to the class token [N, D]
  const layer = sequence([
    tokens(dimension, size, side),
    ...blocks,
    layerNorm("norm", dimension),
    first,
  ]);
  return { layer, dimension };
}

const source = "Dosovitskiy et al. 2021, arXiv:2010.11929; parameter names of timm";

/** A vision transformer with pre-norm blocks; the features are the normalised class token. */
export const vit = defineEncoder({
  name: "vit",
  summary: "Vision transformer of any width and depth.",
  source,
  options: VitOptions,
  build,
});

function preset(name: string, summary: string, fixed: Pick<VitOptions, "dimension" | "heads">) {
  return defineEncoder({
    name,
    summary,
    source,
    options: VitOptions.omit({ dimension: true, heads: true }),
    build: (options, context) => build({ ...options, ...fixed }, context),
  });
}

/** ViT-Ti: width 192, 3 heads, 12 blocks; 5.5 million parameters. */
export const vitTiny = preset("vitTiny", "Tiny vision transformer, width 192.", {
  dimension: 192,
  heads: 3,
});
/** ViT-S: width 384, 6 heads, 12 blocks; 22 million parameters. */
export const vitSmall = preset("vitSmall", "Small vision transformer, width 384.", {
  dimension: 384,
  heads: 6,
});
