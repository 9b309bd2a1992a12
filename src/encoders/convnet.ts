import { z } from "zod";

import { Width } from "../core/ranges.ts";
import { Kernels } from "./initial.ts";
import { type Layer, sequence } from "./layer.ts";
import { averagePool, conv, relu } from "./layers.ts";
import { defineEncoder } from "./network.ts";
import { Normalisation, normalisation } from "./normalisation.ts";

/** Convolution, norm and ReLU, `depth` times, each block after the first at half the size and twice the width. */
export const convnet = defineEncoder({
  name: "convnet",
  summary: "Plain strided convolutions; small enough for a CPU.",
  source: "Springenberg et al. 2015, arXiv:1412.6806 (strides for pooling)",
  options: z.strictObject({
    width: Width.default(32).describe("channels of the first block; doubles each block"),
    depth: z.int().min(1).max(8).default(4).describe("number of blocks"),
    normalisation: Normalisation,
    kernels: Kernels,
  }),
  build(options) {
    const layers: Layer[] = [];
    let inputs = 3;
    for (let i = 0; i < options.depth; i++) {
      const outputs = options.width * 2 ** i;
      const stride = i === 0 ? 1 : 2;
      const biased = options.normalisation === "none";
      layers.push(
        conv(`block${i + 1}.conv`, inputs, outputs, {
          kernel: 3,
          stride,
          padding: 1,
          bias: biased,
          initial: options.kernels,
        }),
        normalisation(options.normalisation, `block${i + 1}.bn`, outputs),
        relu,
      );
      inputs = outputs;
    }
    const trunk = sequence(layers);
    return { layer: sequence([trunk, averagePool]), trunk, dimension: inputs };
  },
});
