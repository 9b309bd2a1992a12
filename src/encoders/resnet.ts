import { nn } from "@jax-js/jax";
import { z } from "zod";

import { Kernels } from "./initial.ts";
import { combine, type Layer, sequence } from "./layer.ts";
import { averagePool, conv, maxPool, relu } from "./layers.ts";
import { defineEncoder, type EncoderContext } from "./network.ts";
import { Normalisation, normalisation } from "./normalisation.ts";

const shared = {
  width: z.int().positive().default(64).describe("channels of the first stage; doubles each stage"),
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
    .array(z.int().positive())
    .min(1)
    .default([2, 2, 2, 2])
    .describe("residual blocks of each stage"),
  bottleneck: z
    .boolean()
    .default(false)
    .describe("blocks of three convolutions (1 × 1, 3 × 3, 1 × 1) that widen by four"),
});
type ResnetOptions = z.output<typeof ResnetOptions>;

type BlockShape = { name: string; inputs: number; width: number; stride: number };

/** The layers a block applies in turn, and the shortcut beside them. */
function residual(body: readonly Layer[], shortcut: Layer | undefined): Layer {
  const inner = sequence(body);
  return combine([inner, ...(shortcut ? [shortcut] : [])], (scope, x) => {
    const y = inner.apply(scope, x.ref); // [N, C, H, W]
    const short = shortcut ? shortcut.apply(scope, x) : x; // [N, C, H, W]
    return nn.relu(y.add(short));
  });
}

function block(shape: BlockShape, options: ResnetOptions): Layer {
  const { name, inputs, width, stride } = shape;
  const outputs = options.bottleneck ? 4 * width : width;
  const norm = (part: string, channels: number, startAtZero = false) =>
    normalisation(options.normalisation, `${name}.${part}`, channels, { startAtZero });
  const startAtZero = options.zeroInitResidual;
  const initial = options.kernels;
  const three = (part: string, from: number, step: number) =>
    conv(`${name}.${part}`, from, width, { kernel: 3, stride: step, padding: 1, initial });
  const body = options.bottleneck
    ? [
        ...[conv(`${name}.conv1`, inputs, width, { kernel: 1, initial }), norm("bn1", width), relu],
        ...[three("conv2", width, stride), norm("bn2", width), relu],
        ...[
          conv(`${name}.conv3`, width, outputs, { kernel: 1, initial }),
          norm("bn3", outputs, startAtZero),
        ],
      ]
    : [
        ...[three("conv1", inputs, stride), norm("bn1", width), relu],
        ...[three("conv2", width, 1), norm("bn2", width, startAtZero)],
      ];
  const shortcut =
    stride === 1 && inputs === outputs
      ? undefined
      : sequence([
          conv(`${name}.downsample.0`, inputs, outputs, { kernel: 1, stride, initial }),
          norm("downsample.1", outputs),
        ]);
  return residual(body, shortcut);
}

function build(options: ResnetOptions, { imageSize }: EncoderContext) {
  const { width, blocks, stem, bottleneck } = options;
  const small = stem === "small" || (stem === "auto" && imageSize <= 64);
  const first = small ? { kernel: 3, padding: 1 } : { kernel: 7, stride: 2, padding: 3 };
  const layers = [
    conv("conv1", 3, width, { ...first, initial: options.kernels }),
    normalisation(options.normalisation, "bn1", width),
    relu,
    ...(small ? [] : [maxPool]),
  ];
  let inputs = width;
  blocks.forEach((count, stage) => {
    const stageWidth = width * 2 ** stage;
    for (let i = 0; i < count; i++) {
      const name = `layer${stage + 1}.${i}`;
      const stride = i === 0 && stage > 0 ? 2 : 1;
      layers.push(block({ name, inputs, width: stageWidth, stride }, options));
      inputs = bottleneck ? 4 * stageWidth : stageWidth;
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
    build: (options, context) => build({ ...options, blocks, bottleneck }, context),
  });
}

/** ResNet-18: 11 million parameters at width 64. */
export const resnet18 = preset("resnet18", [2, 2, 2, 2], false);
/** ResNet-34: 21 million parameters at width 64. */
export const resnet34 = preset("resnet34", [3, 4, 6, 3], false);
/** ResNet-50: 23.5 million parameters at width 64, features of 2048. */
export const resnet50 = preset("resnet50", [3, 4, 6, 3], true);
