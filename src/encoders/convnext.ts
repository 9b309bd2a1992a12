import { numpy as np } from "@jax-js/jax";
import { z } from "zod";

import { ConfigError } from "../core/errors.ts";
import { Epsilon, Width } from "../core/ranges.ts";
import { activations } from "./activations.ts";
import { blockOptions, narrow } from "./attention.ts";
import { constant } from "./initial.ts";
import { combine, type Layer, sequence, skip } from "./layer.ts";
import { averagePool, conv, linear, scale } from "./layers.ts";
import { defineEncoder } from "./network.ts";
import { layerNorm } from "./normalisation.ts";

const Options = z.strictObject({
  depths: z
    .array(Width)
    .min(1)
    .default([2, 2, 6, 2])
    .describe("blocks of each stage; each stage after the first halves the size"),
  widths: z.array(Width).min(1).default([40, 80, 160, 320]).describe("channels of each stage"),
  patch: Width.default(4).describe("side of the patches of the first layer, pixels"),
  kernel: Width.default(7).describe("side of the depthwise kernels, odd"),
  expansion: blockOptions.expansion,
  activation: blockOptions.activation,
  layerScale: blockOptions.layerScale,
  globalResponse: z
    .boolean()
    .default(false)
    .describe("hidden channels divided by their mean strength in the image, as in version 2"),
  epsilon: blockOptions.epsilon,
  headEpsilon: Epsilon.optional().describe(
    "added to the variance of the last norm; epsilon unless given",
  ),
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
  return {
    parameters: { [`${name}.weight`]: constant(size, 0), [`${name}.bias`]: constant(size, 0) },
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

/** A depthwise convolution and an MLP on channels beside a shortcut: [N, C, H, W] to the same. */
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

/** Images [N, 3, H, W] to maps [N, C, h, w], h = ⌊H / patch⌋ halved by each stage after the first. */
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

/**
 * A convolutional network with the blocks of a transformer: images [N, 3, H, W] to features [N, C], the normalised mean
 * of the last maps.
 */
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
