import { deflateRawSync, inflateRawSync } from "node:zlib";

import { DataError } from "../core/errors.ts";
import {
  type Network,
  onnxNetwork,
  type TrainableGraph,
  trainableGraph,
} from "../encoders/index.ts";
import { onnxGraph, strippedModel, wholeModel } from "../engine/index.ts";
import { imageInput } from "./imageInput.ts";

const MOST = 2 ** 28; // bytes of a model without its weights

type WholeModel = ReturnType<typeof wholeModel>;

/** A model without the weights that are trained, as text for the metadata of a weights file. */
export function graphText(model: WholeModel, { parameters, statistics }: TrainableGraph): string {
  const names = new Set([...parameters.keys(), ...statistics.keys()]);
  return Buffer.from(deflateRawSync(strippedModel(model, names))).toString("base64");
}

/** The model that `graphText` wrote, without its weights. Throws `DataError` where the text is damaged. */
export function graphFile(text: string): Uint8Array {
  try {
    return inflateRawSync(Buffer.from(text, "base64"), { maxOutputLength: MOST });
  } catch (cause) {
    throw new DataError("the model's graph cannot be read", undefined, { cause });
  }
}

/** The network of a model that `graphText` wrote, from images to one of its outputs. */
export function networkOfText(text: string, output: string, dimension: number): Network {
  const graph = onnxGraph(wholeModel(graphFile(text)), { stripped: true });
  const { input, layout } = imageInput("the model's graph", graph);
  return onnxNetwork(trainableGraph(graph, input.name, output), { layout, dimension });
}
