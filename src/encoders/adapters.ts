import { z } from "zod";

import { Width } from "../core/ranges.ts";
import { defineOnFeatures, type Head } from "./heads.ts";
import { constant } from "./initial.ts";
import { type Layer, plain, sequence, skip } from "./layer.ts";
import { linear as linearLayer, relu } from "./layers.ts";

/**
 * An entry of the catalogue of adapters: what is trained behind an encoder that stays as it is. It maps features
 * [N, D] to [N, D] and starts as the identity, or as the standardisation of each feature.
 */
export type Adapter<O extends z.ZodObject = z.ZodObject> = Head<O, "adapter">;

const standardise = z
  .boolean()
  .default(false)
  .describe(
    "whether features first get mean 0 and deviation 1 over the views of the training images",
  );

const zero = { kind: "constant", value: 0 } as const;

/** (x − mean) / deviation of each feature, by statistics that training leaves as they are. */
function standardised(width: number): Layer {
  return {
    parameters: {},
    statistics: {
      "adapter.mean": constant(width, 0),
      "adapter.deviation": constant(width, 1),
    },
    apply(scope, x) {
      const [mean, deviation] = ["adapter.mean", "adapter.deviation"].map((name) => {
        const value = scope.statistic(name);
        scope.keep(name, value.ref);
        return value;
      });
      return x.sub(mean).div(deviation);
    },
  };
}

/** x + f(x), standardised before where that is asked for. */
const adapted = (width: number, options: { standardise: boolean }, body: Layer) => ({
  layer: sequence([options.standardise ? standardised(width) : plain((x) => x), skip(body)]),
  dimension: width,
});

/** x + W x + b with W and b 0 at the start, so that weight decay pulls towards the start. */
const linear = defineOnFeatures("adapter", {
  name: "linear",
  summary: "A linear map of the features, the identity at the start.",
  source: "this project, 2026",
  options: z.strictObject({ standardise }),
  build: (width, options) =>
    adapted(width, options, linearLayer("adapter.0", width, width, { initial: zero })),
});

/** x + B A x: a change of low rank. */
const residual = defineOnFeatures("adapter", {
  name: "residual",
  summary: "The features and a linear map of low rank, 0 at the start, added to them.",
  source: "Hu et al. 2021, arXiv:2106.09685 (LoRA), section 4.1, at the features",
  options: z.strictObject({ standardise, rank: Width.default(64).describe("of the map") }),
  build: (width, { rank, ...options }) =>
    adapted(
      width,
      options,
      sequence([
        linearLayer("adapter.0", width, rank, { bias: false }),
        linearLayer("adapter.1", rank, width, { initial: zero }),
      ]),
    ),
});

/** x + W₂ relu(W₁ x + b₁) + b₂. */
const mlp = defineOnFeatures("adapter", {
  name: "mlp",
  summary: "The features and a network of one hidden layer, 0 at the start, added to them.",
  source: "Houlsby et al. 2019, arXiv:1902.00751, figure 2, at the features",
  options: z.strictObject({
    standardise,
    hidden: Width.default(256).describe("width of the hidden layer"),
  }),
  build: (width, { hidden, ...options }) =>
    adapted(
      width,
      options,
      sequence([
        linearLayer("adapter.0", width, hidden),
        relu,
        linearLayer("adapter.2", hidden, width, { initial: zero }),
      ]),
    ),
});

/** Every adapter, by name. */
export const adapters = { linear, residual, mlp };
