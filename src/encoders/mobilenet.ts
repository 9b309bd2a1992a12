import { z } from "zod";

import { Epsilon, Width } from "../core/ranges.ts";
import { Activation, activations, hardSigmoid, sigmoid } from "./activations.ts";
import { combine, type Layer, plain, sequence, skip } from "./layer.ts";
import { averagePool, conv, type ConvOptions } from "./layers.ts";
import { defineEncoder } from "./network.ts";
import { normalisation } from "./normalisation.ts";

const Block = z.strictObject({
  kind: z.enum(["separable", "inverted", "edge", "plain"]),
  kernel: Width,
  stride: Width,
  hidden: Width, // channels of the depthwise convolution, or of the one that widens
  outputs: Width,
  squeeze: z.int().min(0).max(65536).default(0), // channels that squeeze-excite goes through; 0 without
  activation: Activation.optional(), // the network's unless given
});
type Block = z.output<typeof Block>;

/** Stages from rows of blocks, kernel, stride of the first, expansion and channels behind: the tables of papers. */
function stagesOf(rows: readonly (readonly number[])[], inputs: number): Block[][] {
  let from = inputs;
  return rows.map(([count, kernel, stride, expansion, outputs]) =>
    Array.from({ length: count }, (_, i) => {
      const hidden = from * expansion;
      from = outputs;
      const kind = expansion === 1 ? "separable" : "inverted";
      return { kind, kernel, stride: i === 0 ? stride : 1, hidden, outputs, squeeze: 0 };
    }),
  );
}

const lite0 = [
  [1, 3, 1, 1, 16],
  [2, 3, 2, 6, 24],
  [2, 5, 2, 6, 40],
  [3, 3, 2, 6, 80],
  [3, 5, 1, 6, 112],
  [4, 5, 2, 6, 192],
  [1, 3, 1, 6, 320],
];

const Options = z.strictObject({
  stem: Width.default(32).describe("channels of the first layer"),
  stages: z
    .array(z.array(Block).min(1))
    .min(1)
    .optional()
    .describe("blocks of each stage; EfficientNet-Lite0's unless given"),
  head: z
    .int()
    .min(0)
    .max(65536)
    .default(1280)
    .describe("channels of the last 1 × 1 convolution; 0 without"),
  headPooled: z
    .boolean()
    .default(false)
    .describe("pooling before the last convolution, which then has a bias and no norm"),
  activation: Activation.default("relu6").describe("function behind norms"),
  gate: z
    .enum(["sigmoid", "hardSigmoid"])
    .default("sigmoid")
    .describe("what squeeze-excite multiplies channels by"),
  squeezeActivation: Activation.default("relu").describe("function within squeeze-excite"),
  samePadding: z
    .boolean()
    .default(true)
    .describe("padding as TensorFlow's SAME, more behind than before; else half a kernel around"),
  epsilon: Epsilon.default(1e-3).describe("added to variances of norms"),
});
type Options = z.output<typeof Options>;

/** Channels times how much each is wanted in its image: [N, C, H, W]. Names as in timm. */
function squeezeExcite(name: string, channels: number, squeeze: number, options: Options): Layer {
  const one = { kernel: 1, bias: true };
  const reduce = conv(`${name}.conv_reduce`, channels, squeeze, one);
  const expand = conv(`${name}.conv_expand`, squeeze, channels, one);
  const act = activations[options.squeezeActivation];
  const gate = options.gate === "sigmoid" ? sigmoid : hardSigmoid;
  return combine([reduce, expand], (scope, x) => {
    const mean = x.ref.mean([2, 3], { keepdims: true }); // [N, C, 1, 1]
    const wanted = expand.apply(scope, act.apply(scope, reduce.apply(scope, mean)));
    return x.mul(gate(wanted));
  });
}

type Named = { name: string; inputs: number };

/** The convolutions of a block in turn, by kind; each with a norm, all but the last with an activation. */
function bodyOf(block: Block, { name, inputs }: Named, options: Options): Layer[] {
  const { kind, kernel, stride, hidden, outputs, squeeze } = block;
  const act = activations[block.activation ?? options.activation];
  const one = { kernel: 1 };
  const padding = options.samePadding ? "same" : Math.floor(kernel / 2);
  const wide: ConvOptions = { kernel, stride, padding };
  const each: ConvOptions = { ...wide, groups: hidden };
  const norm = (at: number, channels: number) =>
    normalisation("batch", `${name}.bn${at}`, channels, { epsilon: options.epsilon });
  const middle = squeeze > 0 ? [squeezeExcite(`${name}.se`, hidden, squeeze, options)] : [];
  const named = (part: string) => `${name}.${part}`;
  if (kind === "plain") return [conv(named("conv"), inputs, outputs, wide), norm(1, outputs), act];
  if (kind === "separable") {
    const first = [conv(named("conv_dw"), inputs, hidden, each), norm(1, hidden), act];
    return [...first, ...middle, conv(named("conv_pw"), hidden, outputs, one), norm(2, outputs)];
  }
  if (kind === "edge") {
    const first = [conv(named("conv_exp"), inputs, hidden, wide), norm(1, hidden), act];
    return [...first, ...middle, conv(named("conv_pwl"), hidden, outputs, one), norm(2, outputs)];
  }
  const first = [conv(named("conv_pw"), inputs, hidden, one), norm(1, hidden), act];
  const depth = [conv(named("conv_dw"), hidden, hidden, each), norm(2, hidden), act];
  const last = [conv(named("conv_pwl"), hidden, outputs, one), norm(3, outputs)];
  return [...first, ...depth, ...middle, ...last];
}

function blockOf(block: Block, at: Named, options: Options): Layer {
  const body = sequence(bodyOf(block, at, options));
  return block.stride === 1 && at.inputs === block.outputs ? skip(body) : body;
}

function build(options: Options) {
  const { stem, head, headPooled, activation, epsilon } = options;
  const { stages = stagesOf(lite0, stem) } = options;
  const act = activations[activation];
  const padding = options.samePadding ? "same" : 1;
  const layers: Layer[] = [
    conv("conv_stem", 3, stem, { kernel: 3, stride: 2, padding }),
    normalisation("batch", "bn1", stem, { epsilon }),
    act,
  ];
  let inputs = stem;
  stages.forEach((blocks, stage) =>
    blocks.forEach((block, i) => {
      layers.push(blockOf(block, { name: `blocks.${stage}.${i}`, inputs }, options));
      inputs = block.outputs;
    }),
  );
  const last = (bias: boolean) => conv("conv_head", inputs, head, { kernel: 1, bias });
  const dimension = head === 0 ? inputs : head;
  if (head > 0 && !headPooled) {
    layers.push(last(false), normalisation("batch", "bn2", head, { epsilon }), act);
  }
  const trunk = sequence(layers);
  const flat = plain((x) => x.reshape([x.shape[0], dimension]));
  const spread = plain((x) => x.reshape([...x.shape, 1, 1]));
  const behind = head > 0 && headPooled ? [spread, last(true), act, flat] : [];
  const layer = sequence([trunk, averagePool, ...behind]);
  const positive = activation.startsWith("relu"); // maps are sums of what is ≥ 0
  return { layer, dimension, trunk: positive ? trunk : undefined };
}

/** Inverted residual blocks: images [N, 3, H, W] to features [N, head]. */
export const mobilenet = defineEncoder({
  name: "mobilenet",
  summary: "Inverted residual blocks: MobileNet 2 and 3, EfficientNet, EfficientNet-Lite.",
  source:
    "Sandler et al. 2018, arXiv:1801.04381; Howard et al. 2019, arXiv:1905.02244; Tan and Le 2019, arXiv:1905.11946; names of timm",
  options: Options,
  build,
});
