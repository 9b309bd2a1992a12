import type { HostRecord } from "../../core/arrays.ts";
import { DataError } from "../../core/errors.ts";
import { activationOf, countOf, type Facts, type Family, shapeOf } from "./family.ts";

const layer = (stage: string, block: string) => `layer${Number(stage) + 1}.${block}.`;
const kinds: Record<string, string> = { convolution: "conv", normalization: "bn" };

function recognise(arrays: HostRecord, facts: Facts) {
  const stages = countOf(arrays, (i) => `layer${i + 1}.`);
  const bottleneck = "layer1.0.conv3.weight" in arrays;
  const shapes = (part: string) =>
    Array.from({ length: stages }, (_, i) => shapeOf(arrays, `layer${i + 1}.0.${part}.weight`));
  const [stemWidth, , kernel] = shapeOf(arrays, "conv1.weight");
  const widths = shapes("conv1").map(([width]) => width);
  const within = shapes("conv2")[0][1];
  if (activationOf(facts, "hidden_act", "relu") !== "relu") {
    throw new DataError("a residual network with another activation than ReLU is not known here");
  }
  return {
    name: "resnet",
    stem: kernel === 7 ? "standard" : "small",
    stemWidth,
    blocks: Array.from({ length: stages }, (_, i) => countOf(arrays, (j) => `layer${i + 1}.${j}.`)),
    bottleneck,
    widths,
    outputs: shapes(bottleneck ? "conv3" : "conv2").map(([outputs]) => outputs),
    groups: bottleneck ? widths[0] / within : 1,
    strideFirst: facts.downsample_in_bottleneck === true,
    halveFirst: facts.downsample_in_first_stage === true,
  };
}

/** Residual networks: torchvision's names, which are timm's, and those of transformers. */
export const resnet: Family = {
  witness: "layer1.0.conv1.weight",
  ignored: /^(fc|classifier)\.|\.num_batches_tracked$/,
  renames: [
    [/^(?:resnet|model|module|backbone)\./, ""],
    [/^embedder\.embedder\.convolution\./, "conv1."],
    [/^embedder\.embedder\.normalization\./, "bn1."],
    [/^encoder\.stages\.(\d+)\.layers\.(\d+)\./, layer],
    [
      /\.layer\.(\d+)\.(convolution|normalization)\./,
      (i, kind) => `.${kinds[kind]}${Number(i) + 1}.`,
    ],
    [/\.shortcut\.convolution\./, ".downsample.0."],
    [/\.shortcut\.normalization\./, ".downsample.1."],
  ],
  recognise,
};
