import { describe, expect, test } from "vitest";

import { DataError } from "../core/errors.ts";
import { resnet } from "../encoders/index.ts";
import { viewPolicy } from "../views/index.ts";
import {
  describeEncoder,
  descriptionOf,
  encoderMetadata,
  type EncoderDescription,
  describedNetwork,
} from "./description.ts";

const options = { width: 8, blocks: [1] };
const format: Pick<EncoderDescription, "imageSize" | "mean" | "std"> = {
  imageSize: 16,
  mean: [0.5, 0.5, 0.5],
  std: [0.2, 0.2, 0.2],
};
const training = {
  method: "simclr",
  head: { name: "linear" },
  views: viewPolicy({ size: 16 }),
  seed: 0,
  data: "/photos",
};
const description = describeEncoder(
  { name: "resnet", ...options },
  resnet(options, { imageSize: 16 }),
  format,
  { training },
);
const metadata = encoderMetadata(description);

/** What reading a description with some texts replaced, and the network it stands for, comes to. */
function read(change: Record<string, string>) {
  const found = descriptionOf({ ...metadata, ...change }, '"w.safetensors"');
  return found && describedNetwork(found, '"w.safetensors"');
}

test("a description comes back as it was written", () => {
  expect(descriptionOf(metadata, "x")).toEqual(description);
  expect(read({})?.dimension).toBe(8);
  expect(descriptionOf({ format: "pt" }, "x")).toBeUndefined();
});

describe("damaged metadata is a DataError that names file and field", () => {
  test.each<[string, Record<string, string>, string]>([
    ["no JSON", { mean: "[0.5," }, "mean: expected JSON"],
    ["null", { encoder: "null" }, "encoder: expected object"],
    [
      "a name of JavaScript",
      { encoder: '{"name":"constructor"}' },
      'encoder: "constructor" is none',
    ],
    ["an option", { encoder: '{"name":"resnet","width":-1}' }, "encoder.width"],
    ["depth", { encoder: '{"name":"resnet","blocks":[1000000000]}' }, "encoder.blocks"],
    ["width", { encoder: '{"name":"resnet","width":60000,"blocks":[9,9,9]}' }, "weights, expected"],
    ["another encoder", { encoder: '{"name":"resnet","width":4,"blocks":[1]}' }, "dimension"],
    ["patches", { encoder: '{"name":"vit","patch":5}' }, "do not divide into patches"],
    ["side", { imageSize: "-5" }, "imageSize"],
    ["large side", { imageSize: "1000000000" }, "imageSize"],
    ["no side", { imageSize: "" }, "imageSize"],
    ["texts for numbers", { mean: '["a",null,3]' }, "mean.0"],
    ["nothing to divide by", { std: "[0,0,0]" }, "std.0"],
    ["a pair", { std: "[1,1]" }, "std"],
    ["dimension", { dimension: "eight" }, "dimension"],
    ["head", { training: '{"head":{"name":"toString"}}' }, "training"],
    ["nested brackets", { training: "[".repeat(100_000) }, "training: expected JSON"],
  ])("%s", (_, change, message) => {
    expect(() => read(change)).toThrow(DataError);
    expect(() => read(change)).toThrow('"w.safetensors": metadata: ');
    expect(() => read(change)).toThrow(message);
  });
});
