import { expect, test } from "vitest";

import { encoders } from "../index.ts";
import { blocksOf, frozenNames } from "./blocks.ts";

const namesOf = ({ parameters }: { parameters: object }) => Object.keys(parameters);
const context = { imageSize: 32 };

test.each([
  [8, "layer1.0.conv1.weight", "layer4.1.bn2.bias", encoders.resnet18({ width: 4 }, context)],
  [16, "blocks.0.0.conv_dw.weight", "blocks.6.0.bn3.bias", encoders.mobilenet({}, context)],
  [12, "blocks.0.norm1.weight", "blocks.11.mlp.fc2.bias", encoders.vitTiny({}, context)],
  [4, "block1.conv.weight", "block4.bn.bias", encoders.convnet({ width: 4 }, context)],
])("%s blocks, from %s to %s", (count, first, last, network) => {
  const names = namesOf(network);
  const blocks = blocksOf(names);
  expect([blocks.count, blocks.of.get(first), blocks.of.get(last)]).toEqual([count, 0, count - 1]);
  const numbers = names.map((name) => blocks.of.get(name)!);
  expect(numbers).toEqual([...numbers].sort((a, b) => a - b)); // in the order of layers
  expect(numbers[0]).toBe(names[0] === first ? 0 : -1);
  const frozen = frozenNames(names, "all-but:2");
  expect([frozen.has(names[0]), frozen.has(last)]).toEqual([true, false]);
  expect([...frozen].every((name) => blocks.of.get(name)! < count - 2)).toBe(true);
});

test("what lies between two blocks belongs to the later one, what lies behind all to none", () => {
  const names = namesOf(encoders.convnext({}, context));
  const { of, count } = blocksOf(names);
  const next = of.get("stages.1.blocks.0.conv_dw.weight");
  expect(of.get("stages.1.downsample.1.weight")).toBe(next);
  expect(of.get(names.at(-1)!)).toBe(count);
});

test("names of an ONNX file may stand in front, and weights without a name go with what follows", () => {
  const names = [
    "onnx::Conv_1",
    "net.layer.0.bias",
    "onnx::MatMul_7",
    "net.layer.1.bias",
    "fc.bias",
  ];
  expect([...blocksOf(names).of.values()]).toEqual([-1, 0, 1, 1, 2]);
});

const names = namesOf(encoders.resnet18({ width: 4 }, context));

test("globs stand for names and for leading parts of them", () => {
  expect([...frozenNames(names, "conv1, layer?.0.bn1")]).toEqual(
    names.filter((name) => /^(layer.\.0\.bn1|conv1)\./.test(name)),
  );
  expect(frozenNames(names, "*.bias").size).toBe(
    names.filter((name) => /\.bias$/.test(name)).length,
  );
  expect(frozenNames(names, "none").size).toBe(0);
});

test.each([
  ["layer1.*,layr2.*", 'no parameter of the encoder is named "layr2.*"', "did you mean layer2?"],
  ["lax.7", 'named "lax.7"', "as of layer1, layer1.0, layer1.0.conv1"],
  ["bod", 'no parameter of the encoder is named "bod"', "expected body, none, all-but:2 or globs"],
  ["all-but:8", "expected a number of blocks from 1 to 7", "--freeze none trains all of them"],
  ["all-but:two", "expected a number of blocks from 1 to 7", ""],
  ["*", "freezes every parameter", "--freeze body"],
])("%s is refused", (freeze, message, hint) => {
  let error: { message?: string; hint?: string } = {};
  try {
    frozenNames(names, freeze);
  } catch (thrown) {
    error = thrown as Error;
  }
  expect(error.message).toContain(message);
  expect(error.hint ?? "").toContain(hint);
});

test("names without blocks ask for globs", () => {
  expect(() => frozenNames(["a.weight", "b.weight"], "all-but:1")).toThrow("show no blocks");
});
