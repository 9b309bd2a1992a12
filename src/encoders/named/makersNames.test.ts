import { expect, test } from "vitest";

import { float32, numbers } from "../../testing/arrays.ts";
import { type HostArray, type HostRecord, sizeOf } from "../../core/arrays.ts";
import { encoders, type Network } from "../index.ts";
import { type Origin, underMakersNames } from "./makersNames.ts";
import { recognise, variablesFrom } from "./recognise.ts";

const config = { model_type: "vit", num_attention_heads: 2, layer_norm_eps: 1e-12 };

/** Arrays of a transformer of transformers: queries, keys and values apart, no bias of keys. */
const shapes: Record<string, number[]> = {
  "vit.embeddings.cls_token": [1, 1, 8],
  "vit.embeddings.position_embeddings": [1, 5, 8],
  "vit.embeddings.patch_embeddings.projection.weight": [8, 3, 8, 8],
  "vit.embeddings.patch_embeddings.projection.bias": [8],
  ...Object.fromEntries(
    ["query", "key", "value"].flatMap((part) => [
      [`vit.encoder.layer.0.attention.attention.${part}.weight`, [8, 8]],
      ...(part === "key" ? [] : [[`vit.encoder.layer.0.attention.attention.${part}.bias`, [8]]]),
    ]),
  ),
  "vit.encoder.layer.0.attention.output.dense.weight": [8, 8],
  "vit.encoder.layer.0.attention.output.dense.bias": [8],
  "vit.encoder.layer.0.layernorm_before.weight": [8],
  "vit.encoder.layer.0.layernorm_before.bias": [8],
  "vit.encoder.layer.0.layernorm_after.weight": [8],
  "vit.encoder.layer.0.layernorm_after.bias": [8],
  "vit.encoder.layer.0.intermediate.dense.weight": [16, 8],
  "vit.encoder.layer.0.intermediate.dense.bias": [16],
  "vit.encoder.layer.0.output.dense.weight": [8, 16],
  "vit.encoder.layer.0.output.dense.bias": [8],
  "vit.layernorm.weight": [8],
  "vit.layernorm.bias": [8],
};
let next = 0.5;
const given: HostRecord = Object.fromEntries(
  Object.entries(shapes).map(([name, shape]) => [
    name,
    float32(
      shape,
      Array.from({ length: sizeOf(shape) }, () => (next += 1)),
    ),
  ]),
);
const origin: Origin = { config, arrays: { ...shapes, "classifier.weight": [3, 8] } };

function opened(imageSize: number) {
  const { encoder, arrays } = recognise(given, config);
  const { name, ...options } = encoder;
  const entry = encoders[name as keyof typeof encoders] as (o: object, c: object) => Network;
  const network = entry(options, { imageSize });
  return { network, variables: variablesFrom(network, arrays, config) };
}

const plus = (array: HostArray, by: number) =>
  float32(
    [...array.shape],
    numbers(array).map((value) => value + by),
  );

test("arrays go back under the names and in the shapes of their maker, every number in its place", () => {
  const { network, variables } = opened(16);
  const same = underMakersNames(network, variables, origin);
  expect(Object.keys(same)).toEqual(Object.keys(given)); // without a classifier
  for (const [name, { shape, data }] of Object.entries(given)) {
    expect(same[name].shape, name).toEqual(shape);
    expect(same[name].data, name).toEqual(data);
  }
  const qkv = "blocks.0.attn.qkv.bias";
  const parameters = { ...variables.parameters, [qkv]: plus(variables.parameters[qkv], 100) };
  const trained = underMakersNames(network, { ...variables, parameters }, origin);
  const query = "vit.encoder.layer.0.attention.attention.query.bias";
  expect(numbers(trained[query])).toEqual(numbers(plus(given[query], 100)));
  expect(trained).not.toHaveProperty("vit.encoder.layer.0.attention.attention.key.bias");
});

test("positions of a larger grid keep their count", () => {
  const { network, variables } = opened(24);
  const found = underMakersNames(network, variables, origin);
  const positions = found["vit.embeddings.position_embeddings"];
  expect(positions.shape).toEqual([1, 10, 8]);
  expect(numbers(positions)).toEqual(numbers(variables.parameters.pos_embed));
  const token = "vit.embeddings.cls_token";
  expect(numbers(found[token])).toEqual(numbers(given[token]));
});

test("an array too large to be told apart is an error", () => {
  const { network, variables } = opened(16);
  const large = { config, arrays: { ...shapes, "classifier.weight": [5000, 5000] } };
  expect(() => underMakersNames(network, variables, large)).toThrow(
    "the array classifier.weight has 25000000 numbers, expected 16777216 at most",
  );
});
