import { closeSync, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { dirname } from "node:path";

import { counted } from "../core/counted.ts";
import { DataError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";
import {
  type HostVariables,
  onnxFeatures,
  type OnnxLayout,
  onnxNetwork,
  onnxVariables,
  type TrainableGraph,
  trainableGraph,
  type Variables,
} from "../encoders/index.ts";
import { onnxGraph, type ReadBeside, resultSpecs, wholeModel } from "../engine/index.ts";
import { fileError, insideFolder } from "../files/index.ts";
import { aboutLater } from "./about.ts";
import { describeEncoder } from "./description.ts";
import type { StatedInput } from "./format.ts";
import { imageInput } from "./imageInput.ts";
import { type NamedEncoder, startOf } from "./namedEncoder.ts";
import { featuresOutput, onnxFormat } from "./onnxEncoder.ts";
import { graphText } from "./onnxGraphText.ts";
import { factsBeside } from "./repository.ts";

/** Reads parts of files in the folder of a model. */
const besideOf =
  (path: string): ReadBeside =>
  (location, offset, length) => {
    const file = insideFolder(dirname(path), location);
    try {
      const open = openSync(file, "r");
      try {
        const { size } = fstatSync(open);
        const end = length === undefined ? size : offset + length;
        if (offset > end || end > size) {
          throw new DataError(
            `${quoted(file)} has ${size} bytes, expected ${end}: it is cut short`,
            "download it again",
          );
        }
        const bytes = new Uint8Array(end - offset);
        readSync(open, bytes, 0, bytes.length, offset);
        return bytes;
      } finally {
        closeSync(open);
      }
    } catch (error) {
      throw fileError(error, "read", file);
    }
  };

/** Numbers in a vector that a model gives for an image. Throws where a part of it cannot be trained. */
async function dimensionOf(
  graph: TrainableGraph,
  layout: OnnxLayout,
  { variables, imageSize }: { variables: HostVariables; imageSize: number },
): Promise<number> {
  const features = (v: Variables, images: never) => onnxFeatures(graph, layout, v, images);
  const images = { dtype: "float32" as const, shape: [2, 3, imageSize, imageSize] };
  const [{ shape }] = await resultSpecs(features, [variables, images]);
  return shape[1];
}

/**
 * Opens an ONNX model of float32 or float16 weights as an encoder that is trained (opset 11 to 20). What its input
 * must be is read from it or from the files beside it, else from `stated`. Throws `DataError` with the node and the
 * operator where no gradient passes.
 */
export async function loadTrainableOnnx(
  path: string,
  stated: StatedInput = {},
): Promise<NamedEncoder> {
  let file: Uint8Array;
  try {
    file = readFileSync(path);
  } catch (error) {
    throw fileError(error, "read", path);
  }
  const { model, whole } = await aboutLater(path, async () => {
    const read = wholeModel(file, besideOf(path));
    return { model: read, whole: onnxGraph(read) };
  });
  const { input, layout } = imageInput(quoted(path), whole);
  const format = onnxFormat(path, whole, { input, layout }, stated);
  const output = featuresOutput(path, whole, stated.output);
  const graph = trainableGraph(whole, input.name, output.name);
  if (graph.parameters.size === 0) {
    throw new DataError(`${quoted(path)} has no weights of floats, so nothing can be trained`);
  }
  const variables = onnxVariables(graph);
  const { imageSize } = format;
  const [count] = input.shape;
  const dimension = await aboutLater(path, async () => {
    try {
      return await dimensionOf(graph, layout, { variables, imageSize });
    } catch (error) {
      if (typeof count !== "number" || !(error instanceof DataError)) throw error;
      throw new DataError(
        `the model takes ${counted(count, "image")} at once, and no other number: ${error.message}`,
        "export it for any number of images, or use it as it is, with --freeze body",
        { cause: error },
      );
    }
  });
  const network = onnxNetwork(graph, { layout, dimension });
  const start = startOf(path, factsBeside(path), {}); // its names are those of the graph
  const encoder = { name: "onnx", output: output.name };
  const more = { start, graph: graphText(model, graph) };
  return { description: describeEncoder(encoder, network, format, more), network, variables };
}
