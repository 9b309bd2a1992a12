import { numpy as np } from "@jax-js/jax";
import { z } from "zod";

import { ConfigError } from "../core/errors.ts";
import { Width } from "../core/ranges.ts";
import { attention, attentionPool, blockOptions, mlp, narrow } from "./attention.ts";
import type { InitialSpec } from "./initial.ts";
import { combine, type Layer, plain, sequence, skip } from "./layer.ts";
import { conv, scale } from "./layers.ts";
import { defineEncoder, type EncoderContext } from "./network.ts";
import { layerNorm } from "./normalisation.ts";
import { type Rotations, rotations } from "./positions.ts";

const VitOptions = z.strictObject({
  dimension: Width.default(192).describe("width of a token, and of the features"),
  depth: z.int().min(1).max(256).default(12).describe("number of blocks"),
  heads: Width.default(3).describe("attention heads; divide the width"),
  patch: z
    .union([z.literal("auto"), Width])
    .default("auto")
    .describe(
      "side of a patch in pixels; auto takes 16 for images of 128 px or more, 8 from 64, else 4",
    ),
  expansion: blockOptions.expansion,
  activation: blockOptions.activation,
  gated: z
    .boolean()
    .default(false)
    .describe("MLPs with two first layers, one behind the activation multiplying the other"),
  classToken: z.boolean().default(true).describe("a learned token in front of the patches"),
  registers: z.int().min(0).max(1024).default(0).describe("further learned tokens in front"),
  positions: z
    .enum(["all", "class", "patches", "rotary"])
    .default("all")
    .describe(
      'which tokens have learned positions: all, patches and the class token, patches; "rotary" turns queries and keys by their place instead',
    ),
  base: z
    .number()
    .min(1e-3)
    .max(1e6)
    .default(100)
    .describe("of the frequencies of rotary positions"),
  qkvBias: z.boolean().default(true).describe("whether queries, keys and values have a bias"),
  patchBias: z.boolean().default(true).describe("whether the embedding of patches has a bias"),
  layerScale: blockOptions.layerScale,
  preNorm: z.boolean().default(false).describe("a norm before the first block"),
  pooling: z
    .enum(["class", "mean", "attention"])
    .default("class")
    .describe("features: the class token, the mean of the patches, or what a learned query finds"),
  normAfterPooling: z.boolean().default(false).describe("the last norm behind the pooling"),
  epsilon: blockOptions.epsilon,
});
type VitOptions = z.output<typeof VitOptions>;

const tokenCount = ({ classToken, registers }: VitOptions) => Number(classToken) + registers;

/** Attention, then an MLP, each behind a norm and beside a shortcut: [N, T, D] to [N, T, D]. */
function block(name: string, options: VitOptions, turns: Rotations | undefined): Layer {
  const { dimension, heads, expansion, epsilon, layerScale, activation, gated } = options;
  const hidden = Math.round(dimension * expansion);
  const { qkvBias: bias } = options;
  const part = (at: 1 | 2, body: Layer) =>
    skip(
      sequence([
        layerNorm(`${name}.norm${at}`, dimension, epsilon),
        body,
        ...(layerScale === undefined
          ? []
          : [scale(`${name}.ls${at}.gamma`, dimension, layerScale)]),
      ]),
    );
  return sequence([
    part(1, attention(`${name}.attn`, { dimension, heads, bias, rotations: turns })),
    part(2, mlp(`${name}.mlp`, { dimension, hidden, activation, gated })),
  ]);
}

/** Patches to tokens, class token and registers in front, positions added: [N, 3, S, S] to [N, T, D]. */
function tokens(options: VitOptions, patch: number, side: number): Layer {
  const { dimension, classToken, registers, positions, patchBias } = options;
  const embed = conv("patch_embed.proj", 3, dimension, {
    kernel: patch,
    stride: patch,
    bias: patchBias,
    initial: narrow,
  });
  const count = side * side;
  const learned = (shape: number[]): InitialSpec => ({ shape, decay: false, initial: narrow });
  const before = { all: tokenCount(options), class: 1, patches: 0, rotary: 0 }[positions];
  const own: Layer = {
    parameters: {
      ...(classToken && { cls_token: learned([1, 1, dimension]) }),
      ...(registers > 0 && { reg_token: learned([1, registers, dimension]) }),
      ...(positions !== "rotary" && { pos_embed: learned([1, before + count, dimension]) }),
    },
    statistics: {},
    apply: (_scope, x) => x,
  };
  return combine([own, embed], (scope, x) => {
    const n = x.shape[0];
    const patches = embed.apply(scope, x).reshape([n, dimension, count]).transpose([0, 2, 1]); // [N, P, D]
    const each = (name: string) => {
      const token = scope.take(name); // [1, K, D]
      return np.broadcastTo(token, [n, token.shape[1], dimension]);
    };
    const first = classToken ? [each("cls_token")] : []; // [N, 1, D]
    const more = registers > 0 ? [each("reg_token")] : []; // [N, R, D]
    const join = (parts: np.Array[]) => (parts.length === 1 ? parts[0] : np.concatenate(parts, 1));
    const placed = (parts: np.Array[]) => join(parts).add(scope.take("pos_embed"));
    if (positions === "rotary") return join([...first, ...more, patches]);
    if (positions === "patches") return join([...first, ...more, placed([patches])]);
    if (positions === "all" || registers === 0) return placed([...first, ...more, patches]);
    const [start, rest] = np.split(placed([...first, patches]), [1], 1);
    return join([start, ...more, rest]); // [N, T, D]
  });
}

/** Tokens to features: [N, T, D] to [N, D]. */
function pool(options: VitOptions, hidden: number): Layer {
  const { pooling, dimension, heads, activation, gated, epsilon } = options;
  if (pooling === "attention") {
    const shape = { dimension, heads, hidden, activation, gated, epsilon };
    return attentionPool("attn_pool", shape);
  }
  if (pooling === "class") return plain((x) => x.slice([], 0)); // class token [N, D]
  const from = tokenCount(options);
  return plain((x) => x.slice([], [from, x.shape[1]]).mean(1)); // mean of the patches [N, D]
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
  const { dimension, depth, heads, epsilon, preNorm, normAfterPooling } = options;
  if (dimension % heads !== 0) {
    throw new ConfigError(`vit: dimension ${dimension} does not divide into ${heads} heads`);
  }
  if (options.positions === "class" && !options.classToken) {
    throw new ConfigError('vit: positions "class" needs classToken', 'set positions to "patches"');
  }
  const { size, side } = sidesOf(options, context);
  const turns =
    options.positions === "rotary"
      ? rotations(side, {
          prefix: tokenCount(options),
          size: dimension / heads,
          base: options.base,
        })
      : undefined;
  const blocks = Array.from({ length: depth }, (_, i) => block(`blocks.${i}`, options, turns));
  const norm = layerNorm(normAfterPooling ? "fc_norm" : "norm", dimension, epsilon);
  const pooled = pool(options, Math.round(dimension * options.expansion));
  const layer = sequence([
    tokens(options, size, side),
    ...(preNorm ? [layerNorm("norm_pre", dimension, epsilon)] : []),
    ...blocks,
    ...(normAfterPooling ? [pooled, norm] : [norm, pooled]),
  ]);
  return { layer, dimension };
}

const source = "Dosovitskiy et al. 2021, arXiv:2010.11929; parameter names of timm";

/**
 * A vision transformer with pre-norm blocks: images [N, 3, S, S] to features [N, D], the normalised class token unless
 * `pooling` says otherwise. Registers: Darcet et al. 2024, arXiv:2309.16588; layer scale: Touvron et al. 2021,
 * arXiv:2103.17239.
 */
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
