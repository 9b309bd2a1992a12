import { describe, expect, test } from "vitest";

import { type HostArray, hostArray, type HostRecord, sizeOf } from "../../core/arrays.ts";
import { encoders } from "../index.ts";
import type { Network } from "../network.ts";
import type { Facts } from "./family.ts";
import { recognise, variablesFrom } from "./recognise.ts";

type Names = readonly (readonly [RegExp, string])[];

/** Arrays of a network under other names, the first pattern that fits counting. */
function under(arrays: HostRecord, names: Names): HostRecord {
  const rename = (name: string) => {
    const found = names.find(([pattern]) => pattern.test(name));
    return found === undefined ? name : name.replace(found[0], found[1]);
  };
  return Object.fromEntries(Object.entries(arrays).map(([name, array]) => [rename(name), array]));
}

const allOf = (network: Network): HostRecord => {
  const { parameters, statistics } = network.init(5);
  return { ...parameters, ...statistics };
};

const rows = ({ shape, data }: HostArray, from: number, count: number): HostArray => {
  const width = data.length / shape[0];
  return hostArray(
    "float32",
    [count, ...shape.slice(1)],
    Float32Array.from(data.subarray(from * width, (from + count) * width)),
  );
};

/** `attn.qkv` of the first block as three arrays. */
function apart(arrays: HostRecord, fused: string, names: readonly string[]): HostRecord {
  const result = { ...arrays };
  const joined = result[fused];
  delete result[fused];
  const each = joined.shape[0] / 3;
  names.forEach((name, i) => (result[name] = rows(joined, i * each, each)));
  return result;
}

/** Recognises what a network was written as, and expects the same network with the same arrays back. */
function expectSame(network: Network, foreign: HostRecord, facts: Facts, imageSize = 16) {
  const { encoder, arrays } = recognise(foreign, facts);
  const { name, ...options } = encoder;
  const entry = encoders[name as keyof typeof encoders] as (o: object, c: object) => Network;
  const found = entry(options, { imageSize });
  const variables = variablesFrom(found, arrays, {});
  const all: HostRecord = { ...variables.parameters, ...variables.statistics };
  const own = allOf(network);
  expect(Object.keys(all).sort()).toEqual(Object.keys(own).sort());
  for (const [key, { data, shape }] of Object.entries(own)) {
    expect(all[key].shape, key).toEqual(shape);
    expect(all[key].data, key).toEqual(data);
  }
  return encoder;
}

const transformersVit: Names = [
  [/^cls_token$/, "vit.embeddings.cls_token"],
  [/^pos_embed$/, "vit.embeddings.position_embeddings"],
  [/^patch_embed\.proj/, "vit.embeddings.patch_embeddings.projection"],
  [/^norm\./, "vit.layernorm."],
  [/^blocks\.(\d)\.norm1/, "vit.encoder.layer.$1.layernorm_before"],
  [/^blocks\.(\d)\.norm2/, "vit.encoder.layer.$1.layernorm_after"],
  [/^blocks\.(\d)\.attn\.proj/, "vit.encoder.layer.$1.attention.output.dense"],
  [/^blocks\.(\d)\.mlp\.fc1/, "vit.encoder.layer.$1.intermediate.dense"],
  [/^blocks\.(\d)\.mlp\.fc2/, "vit.encoder.layer.$1.output.dense"],
];
const old = (part: string, kind: string) =>
  `vit.encoder.layer.0.attention.attention.${part}.${kind}`;

describe("weights under other names", () => {
  const small = { dimension: 8, heads: 2, depth: 1, patch: 8, expansion: 2 };

  test("a vision transformer of transformers, queries apart", () => {
    const network = encoders.vit({ ...small, epsilon: 1e-12 }, { imageSize: 16 });
    let foreign = under(allOf(network), transformersVit);
    for (const kind of ["weight", "bias"]) {
      const names = ["query", "key", "value"].map((part) => old(part, kind));
      foreign = apart(foreign, `blocks.0.attn.qkv.${kind}`, names);
    }
    foreign["classifier.weight"] = foreign["vit.layernorm.weight"]; // no part of the features
    const facts = { model_type: "vit", num_attention_heads: 2, layer_norm_eps: 1e-12 };
    const encoder = expectSame(network, foreign, facts);
    expect(encoder).toMatchObject({ heads: 2, expansion: 2, pooling: "class", epsilon: 1e-12 });
  });

  test("a vision transformer of torchvision", () => {
    const network = encoders.vit(small, { imageSize: 16 });
    const foreign = under(allOf(network), [
      [/^cls_token$/, "class_token"],
      [/^pos_embed$/, "encoder.pos_embedding"],
      [/^patch_embed\.proj/, "conv_proj"],
      [/^norm\./, "encoder.ln."],
      [/^blocks\.(\d)\.norm(\d)/, "encoder.layers.encoder_layer_$1.ln_$2"],
      [/^blocks\.(\d)\.attn\.qkv\./, "encoder.layers.encoder_layer_$1.self_attention.in_proj_"],
      [/^blocks\.(\d)\.attn\.proj/, "encoder.layers.encoder_layer_$1.self_attention.out_proj"],
      [/^blocks\.(\d)\.mlp\.fc1/, "encoder.layers.encoder_layer_$1.mlp.0"],
      [/^blocks\.(\d)\.mlp\.fc2/, "encoder.layers.encoder_layer_$1.mlp.3"],
    ]);
    expectSame(network, foreign, { model_args: { num_heads: 2 } });
  });

  test("a bias that only queries and values have is 0 for keys", () => {
    const network = encoders.vit(
      { ...small, positions: "rotary", registers: 2 },
      { imageSize: 16 },
    );
    const own = allOf(network);
    own["blocks.0.attn.qkv.bias"].data.fill(0, 8, 16);
    const bias = own["blocks.0.attn.qkv.bias"];
    const foreign = under(own, [[/^blocks\.(\d)\./, "model.layer.$1."]]);
    delete foreign["model.layer.0.attn.qkv.bias"];
    foreign["model.layer.0.attn.q_bias"] = rows(bias, 0, 8);
    foreign["model.layer.0.attn.v_bias"] = rows(bias, 16, 8);
    const { encoder, arrays } = recognise(foreign, { num_attention_heads: 2, rope_theta: 50 });
    expect(arrays["blocks.0.attn.qkv.bias"].data).toEqual(bias.data);
    expect(encoder).toMatchObject({ registers: 2, positions: "rotary", base: 50, qkvBias: true });
  });

  test("one matrix for gate and value", () => {
    const network = encoders.vit({ ...small, gated: true, activation: "silu" }, { imageSize: 16 });
    const foreign = allOf(network);
    for (const kind of ["weight", "bias"]) {
      const [gate, value] = ["fc1_g", "fc1_x"].map((part) => {
        const name = `blocks.0.mlp.${part}.${kind}`;
        const array = foreign[name];
        delete foreign[name];
        return array;
      });
      foreign[`blocks.0.mlp.weights_in.${kind}`] = hostArray(
        "float32",
        [2 * gate.shape[0], ...gate.shape.slice(1)],
        Float32Array.from([...gate.data, ...value.data]),
      );
    }
    expectSame(network, foreign, { num_attention_heads: 2, use_swiglu_ffn: true });
  });

  test("a residual network of transformers", () => {
    const options = {
      blocks: [1, 2],
      widths: [2, 3],
      outputs: [8, 12],
      stemWidth: 4,
      bottleneck: true,
      stem: "standard" as const,
    };
    const network = encoders.resnet(options);
    const foreign = under(allOf(network), [
      [/^conv1/, "embedder.embedder.convolution"],
      [/^bn1/, "embedder.embedder.normalization"],
      [/^layer1\.(\d)\.conv1/, "encoder.stages.0.layers.$1.layer.0.convolution"],
      [/^layer1\.(\d)\.bn1/, "encoder.stages.0.layers.$1.layer.0.normalization"],
      [/^layer2\.(\d)\.downsample\.0/, "encoder.stages.1.layers.$1.shortcut.convolution"],
      [/^layer2\.(\d)\.downsample\.1/, "encoder.stages.1.layers.$1.shortcut.normalization"],
    ]);
    expect(expectSame(network, foreign, {})).toMatchObject(options);
  });

  test("a ConvNeXt 2 of transformers and a ConvNeXt of torchvision", () => {
    const options = { depths: [1, 1], widths: [4, 6], patch: 2, kernel: 3 };
    const second = encoders.convnext({ ...options, globalResponse: true, headEpsilon: 1e-12 });
    const foreign = under(allOf(second), [
      [/^stem\.0/, "embeddings.patch_embeddings"],
      [/^stem\.1/, "embeddings.layernorm"],
      [/^head\.norm/, "layernorm"],
      [/^stages\.(\d)\.downsample/, "encoder.stages.$1.downsampling_layer"],
      [/^stages\.(\d)\.blocks\.(\d)\.conv_dw/, "encoder.stages.$1.layers.$2.dwconv"],
      [/^stages\.(\d)\.blocks\.(\d)\.mlp\.fc(\d)/, "encoder.stages.$1.layers.$2.pwconv$3"],
      [/^stages\.(\d)\.blocks\.(\d)\.mlp\.grn/, "encoder.stages.$1.layers.$2.grn"],
      [/^stages\.(\d)\.blocks\.(\d)\.norm/, "encoder.stages.$1.layers.$2.layernorm"],
    ]);
    const grn = "encoder.stages.0.layers.0.grn.weight";
    foreign[grn] = hostArray("float32", [1, 1, 1, 16], Float32Array.from(foreign[grn].data));
    expectSame(second, foreign, { layer_norm_eps: 1e-12 });
    const first = encoders.convnext({ ...options, layerScale: 1 });
    const torchvision = under(allOf(first), [
      [/^stem\./, "features.0."],
      [/^stages\.1\.downsample/, "features.2"],
      [/^stages\.0\.blocks\.0\.gamma/, "features.1.0.layer_scale"],
      [/^stages\.1\.blocks\.0\.gamma/, "features.3.0.layer_scale"],
      [/^stages\.0\.blocks\.0\.conv_dw/, "features.1.0.block.0"],
      [/^stages\.1\.blocks\.0\.conv_dw/, "features.3.0.block.0"],
      [/^stages\.1\.blocks\.0\.mlp\.fc1/, "features.3.0.block.3"],
      [/^head\.norm/, "classifier.0"],
    ]);
    expectSame(first, torchvision, {});
  });

  test("a MobileNetV2 of transformers", () => {
    const block = { kernel: 3, squeeze: 0 };
    const stages = [
      [{ ...block, kind: "separable" as const, stride: 1, hidden: 4, outputs: 2 }],
      [2, 1].map((stride) => ({
        ...block,
        kind: "inverted" as const,
        stride,
        hidden: 12,
        outputs: 2,
      })),
    ];
    const network = encoders.mobilenet({ stem: 4, stages, head: 6 });
    const foreign = under(allOf(network), [
      [/^conv_stem\./, "conv_stem.first_conv.convolution."],
      [/^bn1\./, "conv_stem.first_conv.normalization."],
      [/^blocks\.0\.0\.conv_dw/, "conv_stem.conv_3x3.convolution"],
      [/^blocks\.0\.0\.bn1/, "conv_stem.conv_3x3.normalization"],
      [/^blocks\.0\.0\.conv_pw\./, "conv_stem.reduce_1x1.convolution."],
      [/^blocks\.0\.0\.bn2/, "conv_stem.reduce_1x1.normalization"],
      [/^blocks\.1\.(\d)\.conv_pw\./, "layer.$1.expand_1x1.convolution."],
      [/^blocks\.1\.(\d)\.bn1/, "layer.$1.expand_1x1.normalization"],
      [/^blocks\.1\.(\d)\.conv_dw/, "layer.$1.conv_3x3.convolution"],
      [/^blocks\.1\.(\d)\.bn2/, "layer.$1.conv_3x3.normalization"],
      [/^blocks\.1\.(\d)\.conv_pwl/, "layer.$1.reduce_1x1.convolution"],
      [/^blocks\.1\.(\d)\.bn3/, "layer.$1.reduce_1x1.normalization"],
      [/^conv_head/, "conv_1x1.convolution"],
      [/^bn2\./, "conv_1x1.normalization."],
    ]);
    const encoder = expectSame(network, foreign, { model_type: "mobilenet_v2", tf_padding: true });
    expect(encoder).toMatchObject({
      stages,
      samePadding: true,
      epsilon: 1e-3,
      activation: "relu6",
    });
  });

  test("strides and functions of architectures of timm", () => {
    const network = encoders.mobilenet({});
    const own: HostRecord = Object.fromEntries(
      Object.entries({ ...network.parameters, ...network.statistics }).map(([name, { shape }]) => [
        name,
        hostArray("float32", shape, new Float32Array(sizeOf(shape))), // shapes say it all
      ]),
    );
    const of = (architecture: string) => recognise(own, { architecture }).encoder;
    const { name, ...options } = of("tf_efficientnet_lite0");
    const again = (encoders.mobilenet as (o: object) => Network)(options);
    expect(name).toBe("mobilenet");
    expect(again.parameters).toEqual(network.parameters);
    expect(of("mobilenetv2_100")).toMatchObject({ samePadding: false, epsilon: 1e-5 });
    expect(of("mobilenetv3_large_100")).toMatchObject({
      activation: "hardSwish",
      gate: "hardSigmoid",
    });
    expect(() => of("ghostnet_100")).toThrow(
      "config.json names the architecture ghostnet_100, whose strides are not known here",
    );
  });

  test("says what has no place and what is missing", () => {
    const network = encoders.resnet({ blocks: [1], widths: [2], stem: "standard", stemWidth: 2 });
    const own = allOf(network);
    const { arrays } = recognise({ ...own, "layer1.0.se.fc1.weight": own["bn1.weight"] }, {});
    expect(() => variablesFrom(network, arrays, {})).toThrow(
      "1 arrays have no place in the encoder resnet, as layer1.0.se.fc1.weight",
    );
    const { "bn1.bias": gone, ...less } = own;
    expect(gone).toBeDefined();
    expect(() => variablesFrom(network, recognise(less, {}).arrays, {})).toThrow(
      "bn1.bias is missing",
    );
    expect(() => recognise({ "layers.0.weight": own["bn1.bias"] }, {})).toThrow(
      "no encoder here has arrays of these names (the first is layers.0.weight)",
    );
  });
});
