import { numpy as np } from "@jax-js/jax";
import { z } from "zod";

import { ConfigError } from "../core/errors.ts";
import { activations, Activation } from "./activations.ts";
import { narrow, skip } from "./attention.ts";
import type { InitialSpec } from "./initial.ts";
import { combine, type Layer, sequence } from "./layer.ts";
import { averagePool, conv, linear, scale } from "./layers.ts";
import { defineEncoder } from "./network.ts";
import { layerNorm } from "./normalisation.ts";

const Options = z.strictObject({
  depths: z
    .array(z.int().positive().max(65536))
    .min(1)
    .default([2, 2, 6, 2])
    .describe("blocks of each stage; each stage after the first halves the size"),
  widths: z
    .array(z.int().positive().max(65536))
    .min(1)
    .default([40, 80, 160, 320])
    .describe("channels of each stage"),
  patch: z
    .int()
    .positive()
    .max(65536)
    .default(4)
    .describe("side of the patches of the first layer, pixels"),
  kernel: z.int().positive().max(65536).default(7).describe("side of the depthwise kernels, odd"),
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
  globalResponse: z
    .boolean()
    .default(false)
    .describe("hidden channels divided by their mean strength in the image, as in version 2"),
  epsilon: z.number().min(1e-12).max(1).default(1e-6).describe("added to variances of norms"),
  headEpsilon: z
    .number()
    .min(1e-12)
    .max(1)
    .optional()
    .describe("added to the variance of the last norm; epsilon unless given"),
});
type Options = z.output<typeof Options>;

/** A layer on the channels of maps: [N, C, H, W] with channels last and back. */
function onChannels(inner: Layer): Layer {
  return combine([inner], (scope, x) =>
    inner.apply(scope, x.transpose([0, 2, 3, 1])).transpose([0, 3, 1, 2]),
  );
}

/** x · (g / mean g) · weight + bias + x with g the length of each channel over an image [N, H, W, C]. */
function globalResponse(name: string, size: number): Layer {
  const zero: InitialSpec = {
    shape: [size],
    decay: false,
    initial: { kind: "constant", value: 0 },
  };
  return {
    parameters: { [`${name}.weight`]: zero, [`${name}.bias`]: zero },
    statistics: {},
    apply(scope, x) {
      const strength = np.sqrt(np.square(x.ref).sum([1, 2], { keepdims: true })); // [N, 1, 1, C]
      const mean = strength.ref.mean(-1, { keepdims: true }).add(1e-6); // [N, 1, 1, 1]
      const share = strength.div(mean).mul(scope.take(`${name}.weight`)); // [N, 1, 1, C]
      return x.ref
        .mul(share)
        .add(scope.take(`${name}.bias`))
        .add(x);
    },
  };
}

function block(name: string, width: number, options: Options): Layer {
  const { kernel, expansion, activation, layerScale, epsilon } = options;
  const hidden = Math.round(width * expansion);
  const depthwise = conv(`${name}.conv_dw`, width, width, {
    kernel,
    padding: Math.floor(kernel / 2),
    groups: width,
    bias: true,
    initial: narrow,
  });
  const behind = sequence([
    layerNorm(`${name}.norm`, width, epsilon),
    linear(`${name}.mlp.fc1`, width, hidden, { initial: narrow }),
    activations[activation],
    ...(options.globalResponse ? [globalResponse(`${name}.mlp.grn`, hidden)] : []),
    linear(`${name}.mlp.fc2`, hidden, width, { initial: narrow }),
    ...(layerScale === undefined ? [] : [scale(`${name}.gamma`, width, layerScale)]),
  ]);
  return skip(sequence([depthwise, onChannels(behind)]));
}

/** Patches of the image or of the maps before, as the channels of the next stage. */
function patches(name: string, inputs: number, outputs: number, side: number): Layer {
  return conv(name, inputs, outputs, { kernel: side, stride: side, bias: true, initial: narrow });
}

function trunkOf(options: Options): Layer {
  const { depths, widths, patch, epsilon } = options;
  const layers: Layer[] = [
    patches("stem.0", 3, widths[0], patch),
    onChannels(layerNorm("stem.1", widths[0], epsilon)),
  ];
  depths.forEach((depth, stage) => {
    const name = `stages.${stage}`;
    if (stage > 0) {
      const inputs = widths[stage - 1];
      layers.push(
        onChannels(layerNorm(`${name}.downsample.0`, inputs, epsilon)),
        patches(`${name}.downsample.1`, inputs, widths[stage], 2),
      );
    }
    for (let i = 0; i < depth; i++) {
      layers.push(block(`${name}.blocks.${i}`, widths[stage], options));
    }
  });
  return sequence(layers);
}

/** A convolutional network with the blocks of a transformer; the features are the normalised mean of the last maps. */
export const convnext = defineEncoder({
  name: "convnext",
  summary: "Depthwise convolutions of 7 × 7 with MLPs behind them, versions 1 and 2.",
  source: "Liu et al. 2022, arXiv:2201.03545; Woo et al. 2023, arXiv:2301.00808; names of timm",
  options: Options,
  build(options) {
    const { depths, widths, headEpsilon = options.epsilon } = options;
    if (depths.length !== widths.length) {
      throw new ConfigError(
        `convnext: depths has ${depths.length} stages and widths ${widths.length}, expected as many`,
      );
    }
    const dimension = widths[widths.length - 1];
    const norm = layerNorm("head.norm", dimension, headEpsilon);
    return { layer: sequence([trunkOf(options), averagePool, norm]), dimension };
  },
});
