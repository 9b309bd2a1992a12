import type { HostRecord } from "../../core/arrays.ts";
import { DataError } from "../../core/errors.ts";
import { quoted } from "../../core/quote.ts";
import {
  activationOf,
  countOf,
  type Facts,
  type Family,
  numberOf,
  shapeOf,
  textOf,
} from "./family.ts";

/** What the shapes do not say: strides of the stages, functions, padding. */
type Table = {
  readonly strides: readonly number[];
  readonly activation: string;
  /** Stages from the first on that have ReLU. */
  readonly reluStages?: number;
  readonly gate?: string;
  readonly squeezeActivation?: string;
};

const usual = [1, 2, 2, 2, 1, 2, 1];
const hard = { activation: "hardSwish", gate: "hardSigmoid", squeezeActivation: "relu" };
const smooth = { activation: "silu", gate: "sigmoid", squeezeActivation: "silu" };

/** Architectures of timm: pattern of the name, and what holds for it. The first that fits counts. */
const tables: readonly (readonly [RegExp, Table])[] = [
  [/mobilenetv2_/, { strides: usual, activation: "relu6" }],
  [/mobilenetv3_small_minimal/, { strides: [2, 2, 2, 1, 2, 1], activation: "relu" }],
  [/mobilenetv3_large_minimal/, { strides: usual, activation: "relu" }],
  [/mobilenetv3_small/, { strides: [2, 2, 2, 1, 2, 1], ...hard, reluStages: 2 }],
  [/mobilenetv3_(large|rw)/, { strides: usual, ...hard, reluStages: 3 }],
  [/efficientnet_lite/, { strides: usual, activation: "relu6" }],
  [/efficientnetv2_/, { strides: [1, 2, 2, 2, 1, 2], ...smooth }],
  [/efficientnet_b\d/, { strides: usual, ...smooth }],
];

/** The table of an architecture, padding and epsilon with it: those of TensorFlow in what came from there. */
function timmTable(architecture: string) {
  const table = tables.find(([pattern]) => pattern.test(architecture))?.[1];
  if (table === undefined) {
    const what = architecture === "" ? "no architecture" : `the architecture ${architecture}`;
    throw new DataError(
      `config.json names ${what}, whose strides are not known here`,
      "use the model.onnx of the same encoder",
    );
  }
  const fromTensorFlow = architecture.startsWith("tf_");
  return { ...table, samePadding: fromTensorFlow, epsilon: fromTensorFlow ? 1e-3 : 1e-5 };
}

const version2 = [2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1]; // strides of transformers' MobileNetV2

function transformersTable(facts: Facts) {
  if ((numberOf(facts, "output_stride") ?? 32) !== 32) {
    throw new DataError(
      `output_stride is ${quoted(facts.output_stride, 40)}, only 32 is known here`,
    );
  }
  if (facts.first_layer_is_expansion === false) {
    throw new DataError("first_layer_is_expansion is false, only true is known here");
  }
  return {
    activation: activationOf(facts, "hidden_act", "relu6"),
    samePadding: facts.tf_padding !== false,
    epsilon: numberOf(facts, "layer_norm_eps") ?? 1e-3,
  };
}

/** Kind, kernel and widths of a block, from its arrays. */
function blockOf(arrays: HostRecord, name: string) {
  const shape = (part: string) => shapeOf(arrays, `${name}.${part}.weight`);
  const has = (part: string) => `${name}.${part}.weight` in arrays;
  const squeeze = has("se.conv_reduce") ? shape("se.conv_reduce")[0] : 0;
  if (has("conv")) {
    const [outputs, , kernel] = shape("conv");
    return { kind: "plain", kernel, hidden: outputs, outputs, squeeze };
  }
  if (has("conv_exp")) {
    const [hidden, , kernel] = shape("conv_exp");
    return { kind: "edge", kernel, hidden, outputs: shape("conv_pwl")[0], squeeze };
  }
  const [hidden, , kernel] = shape("conv_dw");
  const kind = has("conv_pwl") ? "inverted" : "separable";
  const [outputs] = shape(has("conv_pwl") ? "conv_pwl" : "conv_pw");
  return { kind, kernel, hidden, outputs, squeeze };
}

function recognise(arrays: HostRecord, facts: Facts) {
  const transformers = textOf(facts, "model_type") === "mobilenet_v2";
  const table: Omit<Table, "strides"> & { strides?: readonly number[] } = transformers
    ? transformersTable(facts)
    : timmTable(textOf(facts, "architecture"));
  const { strides, reluStages = 0, ...functions } = table;
  const strideOf = (stage: number, block: number) => {
    if (transformers) return stage === 0 ? 1 : (version2[block] ?? 1);
    return block === 0 ? (strides?.[stage] ?? 1) : 1;
  };
  const stages = Array.from({ length: countOf(arrays, (i) => `blocks.${i}.`) }, (_, stage) =>
    Array.from({ length: countOf(arrays, (i) => `blocks.${stage}.${i}.`) }, (__, block) => ({
      ...blockOf(arrays, `blocks.${stage}.${block}`),
      stride: strideOf(stage, block),
      ...(stage < reluStages && { activation: "relu" }),
    })),
  );
  return {
    name: "mobilenet",
    ...functions,
    stem: shapeOf(arrays, "conv_stem.weight")[0],
    stages,
    head: arrays["conv_head.weight"]?.shape[0] ?? 0,
    headPooled: "conv_head.bias" in arrays,
  };
}

const layers: Record<string, readonly [string, string]> = {
  expand_1x1: ["conv_pw", "bn1"],
  conv_3x3: ["conv_dw", "bn2"],
  reduce_1x1: ["conv_pwl", "bn3"],
};
const partOf = (kind: string) => (kind === "convolution" ? 0 : 1);

/** MobileNetV2 and 3, EfficientNet and EfficientNet-Lite: names of timm, and of transformers for version 2. */
export const mobilenet: Family = {
  witness: "conv_stem.weight",
  ignored: /^classifier\.|\.num_batches_tracked$/,
  renames: [
    [/^(?:mobilenet_v2|model|module|backbone)\./, ""],
    [/^conv_stem\.first_conv\.convolution\./, "conv_stem."],
    [/^conv_stem\.first_conv\.normalization\./, "bn1."],
    [/^conv_stem\.conv_3x3\.convolution\./, "blocks.0.0.conv_dw."],
    [/^conv_stem\.conv_3x3\.normalization\./, "blocks.0.0.bn1."],
    [/^conv_stem\.reduce_1x1\.convolution\./, "blocks.0.0.conv_pw."],
    [/^conv_stem\.reduce_1x1\.normalization\./, "blocks.0.0.bn2."],
    [
      /^layer\.(\d+)\.(\w+)\.(convolution|normalization)\./,
      (block, part, kind) => `blocks.1.${block}.${layers[part]?.[partOf(kind)] ?? part}.`,
    ],
    [/^conv_1x1\.convolution\./, "conv_head."],
    [/^conv_1x1\.normalization\./, "bn2."],
  ],
  recognise,
};
