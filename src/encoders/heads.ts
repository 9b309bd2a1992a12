import { z } from "zod";

import { parseOptions } from "../core/options.ts";
import { Width } from "../core/ranges.ts";
import { type Layer, plain, sequence } from "./layer.ts";
import { linear as linearLayer, relu } from "./layers.ts";
import { type Network, networkOf } from "./network.ts";
import { normalisation } from "./normalisation.ts";

type Kind = "head" | "adapter";

/** An entry of the catalogue of heads, or of adapters: input width and options to a network on features. */
export type Head<O extends z.ZodObject = z.ZodObject, K extends Kind = "head"> = {
  (inputs: number, options?: z.input<O>): Network;
  readonly kind: K;
  readonly name: string;
  readonly summary: string;
  readonly source: string;
  readonly options: O;
};

/** What a head's file declares. */
export type HeadDefinition<O extends z.ZodObject> = {
  name: string;
  summary: string;
  source: string;
  options: O;
  build: (inputs: number, options: z.output<O>) => { layer: Layer; dimension: number };
};

/** Makes an entry of a catalogue of networks on features. Options are checked where it is called. */
export function defineOnFeatures<O extends z.ZodObject, K extends Kind>(
  kind: K,
  definition: HeadDefinition<O>,
): Head<O, K> {
  const { name, summary, source, options: schema, build } = definition;
  function entry(inputs: number, options?: z.input<O>): Network {
    const { layer, dimension } = build(inputs, parseOptions(name, schema, options ?? {}));
    return networkOf(name, layer, { inputs, dimension });
  }
  Object.defineProperty(entry, "name", { value: name });
  return Object.assign(entry, { kind, summary, source, options: schema });
}

/** Makes an entry of the catalogue of heads. Options are checked where it is called. */
export const defineHead = <O extends z.ZodObject>(definition: HeadDefinition<O>): Head<O> =>
  defineOnFeatures("head", definition);

const dimension = Width.default(128).describe("width of the embedding");
const bias = z.boolean().default(true).describe("whether the linear layers have a bias");

/** One linear layer, `head.0`. */
export const linear = defineHead({
  name: "linear",
  summary: "One linear layer.",
  source: "He et al. 2020, arXiv:1911.05722 (MoCo v1)",
  options: z.strictObject({ dimension, bias }),
  build: (inputs, options) => ({
    layer: linearLayer("head.0", inputs, options.dimension, { bias: options.bias }),
    dimension: options.dimension,
  }),
});

/** Linear layers with ReLU between them; numbered as in a PyTorch Sequential: `head.0`, `head.2`, … */
export const mlp = defineHead({
  name: "mlp",
  summary: "Two or three linear layers with ReLU between them.",
  source: "Chen et al. 2020, arXiv:2002.05709, section 4.2",
  options: z.strictObject({
    hidden: Width.optional().describe(
      "width of the hidden layers; that of the features unless given",
    ),
    layers: z.int().min(2).max(3).default(2).describe("number of linear layers"),
    dimension,
    batchNorm: z
      .union([z.boolean(), z.strictObject({ splitBatch: Width })])
      .default(false)
      .describe(
        "batch normalisation after each hidden layer; { splitBatch: parts of the batch normalised apart }",
      ),
    bias,
  }),
  build(inputs, { hidden = inputs, layers, dimension, batchNorm, bias }) {
    const parts: Layer[] = [];
    let [from, at] = [inputs, 0];
    for (let i = 0; i < layers - 1; i++, from = hidden) {
      parts.push(linearLayer(`head.${at++}`, from, hidden, { bias: bias && batchNorm === false }));
      if (batchNorm !== false) {
        const kind = batchNorm === true ? "batch" : batchNorm;
        parts.push(normalisation(kind, `head.${at++}`, hidden));
      }
      parts.push(relu);
      at++;
    }
    parts.push(linearLayer(`head.${at}`, from, dimension, { bias }));
    return { layer: sequence(parts), dimension };
  },
});

/** The features themselves. */
export const none = defineHead({
  name: "none",
  summary: "No head: the loss sees the features themselves.",
  source: "Wu et al. 2018, arXiv:1805.01978, where the last layer of the encoder is the embedding",
  options: z.strictObject({}),
  build: (inputs) => ({ layer: plain((x) => x), dimension: inputs }),
});
