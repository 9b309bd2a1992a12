import { nn } from "@jax-js/jax";
import { z } from "zod";

import { ConfigError } from "../core/errors.ts";
import { Width } from "../core/ranges.ts";
import { Kernels } from "./initial.ts";
import { combine, type Layer, sequence } from "./layer.ts";
import { averagePool, conv, maxPool, relu } from "./layers.ts";
import { defineEncoder, type EncoderContext } from "./network.ts";
import { Normalisation, normalisation } from "./normalisation.ts";

const shared = {
  width: Width.default(64).describe("channels of the first stage; doubles each stage"),
  stem: z
    .enum(["auto", "small", "standard"])
    .default("auto")
    .describe(
      'first layer: "small" is 3 × 3 without pooling, "standard" 7 × 7 stride 2 and max pooling, "auto" takes small up to 64 px',
    ),
  normalisation: Normalisation,
  kernels: Kernels,
  zeroInitResidual: z
    .boolean()
    .default(false)
    .describe("start the last norm of each block at 0, so that blocks start as identities"),
};

const ResnetOptions = z.strictObject({
  ...shared,
  blocks: z
    .array(z.int().min(1).max(256))
    .min(1)
    .max(8)
    .default([2, 2, 2, 2])
    .describe("residual blocks of each stage"),
  bottleneck: z
    .boolean()
    .default(false)
    .describe("blocks of three convolutions (1 × 1, 3 × 3, 1 × 1) that widen by four"),
  widths: z
    .array(Width)
    .optional()
    .describe("channels within the blocks of each stage, in place of width and its doubling"),
  outputs: z
    .array(Width)
    .optional()
    .describe("channels behind the blocks of each stage; as widths, or four times as many"),
  stemWidth: Width.optional().describe("channels of the first layer; as width"),
  groups: Width.default(1).describe("groups of the 3 × 3 of a bottleneck"),
  strideFirst: z
    .boolean()
    .default(false)
    .describe("the first convolution of a bottleneck halves the size, not the 3 × 3"),
  halveFirst: z.boolean().default(false).describe("the first stage halves the size too"),
});
type ResnetOptions = z.output<typeof ResnetOptions>;

type BlockShape = { name: string; inputs: number; width: number; outputs: number; stride: number };

/** The layers a block applies in turn, and the shortcut beside them. */
function residual(body: readonly Layer[], shortcut: Layer | undefined): Layer {
  const inner = sequence(body);
  return combine([inner, ...(shortcut ? [shortcut] : [])], (scope, x) => {
    const y = inner.apply(scope, x.ref); // [N, C, H, W]
    const short = shortcut ? shortcut.apply(scope, x) : x; // [N, C, H, W]
    return nn.relu(y.add(short));
  });
}

/** The convolutions of a block and their norms. */
function bodyOf(shape: BlockShape, options: ResnetOptions): Layer[] {
  const { name, inputs, width, outputs, stride } = shape;
  const { bottleneck, normalisation: kind, zeroInitResidual: startAtZero, kernels } = options;
  const norm = (part: string, channels: number, last = false) =>
    normalisation(kind, `${name}.${part}`, channels, { startAtZero: last && startAtZero });
  const one = (part: string, from: number, to: number, step = 1) =>
    conv(`${name}.${part}`, from, to, { kernel: 1, stride: step, initial: kernels });
  const three = (part: string, from: number, to: number, step: number, groups = 1) =>
    conv(`${name}.${part}`, from, to, {
      kernel: 3,
      stride: step,
      padding: 1,
      groups,
      initial: kernels,
    });
  if (!bottleneck) {
    const first = [three("conv1", inputs, width, stride), norm("bn1", width), relu];
    return [...first, three("conv2", width, outputs, 1), norm("bn2", outputs, true)];
  }
  const [before, within] = options.strideFirst ? [stride, 1] : [1, stride];
  const first = [one("conv1", inputs, width, before), norm("bn1", width), relu];
  const middle = [three("conv2", width, width, within, options.groups), norm("bn2", width), relu];
  return [...first, ...middle, one("conv3", width, outputs), norm("bn3", outputs, true)];
}

function block(shape: BlockShape, options: ResnetOptions): Layer {
  const { name, inputs, outputs, stride } = shape;
  const shortcut =
    stride === 1 && inputs === outputs
      ? undefined
      : sequence([
          conv(`${name}.downsample.0`, inputs, outputs, {
            kernel: 1,
            stride,
            initial: options.kernels,
          }),
          normalisation(options.normalisation, `${name}.downsample.1`, outputs),
        ]);
  return residual(bodyOf(shape, options), shortcut);
}

/** Channels within and behind the blocks of a stage. */
function stageWidths({ width, widths, outputs, bottleneck }: ResnetOptions, stage: number) {
  const within = widths?.[stage] ?? width * 2 ** stage;
  return { width: within, outputs: outputs?.[stage] ?? (bottleneck ? 4 * within : within) };
}

function checkStages({ blocks, widths, outputs }: ResnetOptions): void {
  for (const [name, list] of Object.entries({ widths, outputs })) {
    if (list === undefined || list.length === blocks.length) continue;
    throw new ConfigError(
      `resnet: ${name} has ${list.length} stages and blocks ${blocks.length}, expected as many`,
    );
  }
}

function build(options: ResnetOptions, { imageSize }: EncoderContext) {
  const { blocks, stem, stemWidth = options.width } = options;
  checkStages(options);
  const small = stem === "small" || (stem === "auto" && imageSize <= 64);
  const first = small ? { kernel: 3, padding: 1 } : { kernel: 7, stride: 2, padding: 3 };
  const layers = [
    conv("conv1", 3, stemWidth, { ...first, initial: options.kernels }),
    normalisation(options.normalisation, "bn1", stemWidth),
    relu,
    ...(small ? [] : [maxPool]),
  ];
  let inputs = stemWidth;
  blocks.forEach((count, stage) => {
    const { width, outputs } = stageWidths(options, stage);
    for (let i = 0; i < count; i++) {
      const name = `layer${stage + 1}.${i}`;
      const stride = i === 0 && (stage > 0 || options.halveFirst) ? 2 : 1;
      layers.push(block({ name, inputs, width, outputs, stride }, options));
      inputs = outputs;
    }
  });
  const trunk = sequence(layers);
  return { layer: sequence([trunk, averagePool]), trunk, dimension: inputs };
}

const source = "He et al. 2016, arXiv:1512.03385; parameter names and layout of torchvision";

/** A residual network: images [N, 3, H, W] to features [N, C], C the width of the last stage. */
export const resnet = defineEncoder({
  name: "resnet",
  summary: "Residual network of any width and depth.",
  source,
  options: ResnetOptions,
  build,
});

function preset(name: string, blocks: number[], bottleneck: boolean) {
  return defineEncoder({
    name,
    summary: `Residual network with ${blocks.join(", ")} ${bottleneck ? "bottleneck" : "basic"} blocks.`,
    source,
    options: z.strictObject(shared),
    build: (options, context) =>
      build(ResnetOptions.parse({ ...options, blocks, bottleneck }), context),
  });
}

/** ResNet-18: 11 million parameters at width 64. */
export const resnet18 = preset("resnet18", [2, 2, 2, 2], false);
/** ResNet-34: 21 million parameters at width 64. */
export const resnet34 = preset("resnet34", [3, 4, 6, 3], false);
/** ResNet-50: 23.5 million parameters at width 64, features of 2048. */
export const resnet50 = preset("resnet50", [3, 4, 6, 3], true);
