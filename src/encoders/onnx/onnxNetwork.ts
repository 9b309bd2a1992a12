import type { numpy as np } from "@jax-js/jax";

import { hostArray, type HostRecord, sizeOf } from "../../core/arrays.ts";
import { ContraposeError, DataError } from "../../core/errors.ts";
import { checkShapes } from "../../core/shape.ts";
import { type ArrayRecord, refArrays } from "../../core/trees.ts";
import type { OnnxTensor } from "../../engine/index.ts";
import type { InitialSpec } from "../initial.ts";
import type { HostVariables, Network, Variables } from "../network.ts";
import { runGraph, type TrainableGraph } from "./graph.ts";
import { isHost } from "./values.ts";

/** How a model takes images: [N, 3, S, S] or [N, S, S, 3]. */
export type OnnxLayout = "planes" | "pixels";

const plain = (
  tensors: ReadonlyMap<string, OnnxTensor>,
  decay: (tensor: OnnxTensor) => boolean,
): Record<string, InitialSpec> =>
  Object.fromEntries(
    [...tensors].map(([name, tensor]): [string, InitialSpec] => [
      name,
      { shape: tensor.shape, decay: decay(tensor), initial: { kind: "constant", value: 0 } },
    ]),
  );

/** Numbers of the file as float32 arrays. */
const arraysOf = (tensors: ReadonlyMap<string, OnnxTensor>): HostRecord =>
  Object.fromEntries(
    [...tensors].map(([name, { shape, data }]) => {
      if (data.length === sizeOf(shape)) {
        return [name, hostArray("float32", shape, Float32Array.from(data))];
      }
      throw new ContraposeError(`the weight ${name} is not in the model's file`);
    }),
  );

/** The weights that the model's file holds. */
export const onnxVariables = ({ parameters, statistics }: TrainableGraph): HostVariables => ({
  parameters: arraysOf(parameters),
  statistics: arraysOf(statistics),
});

/** Features [N, D] of images [N, 3, S, S]. Consumes both arguments. */
export function onnxFeatures(
  graph: TrainableGraph,
  layout: OnnxLayout,
  { parameters, statistics }: Variables,
  images: np.Array,
): np.Array {
  const [count] = images.shape;
  const given = layout === "planes" ? images : images.transpose([0, 2, 3, 1]);
  const output = runGraph(graph, { ...parameters, ...statistics }, given);
  if (isHost(output)) throw new DataError(`the output ${graph.output} does not depend on images`);
  const { shape } = output;
  if (shape[0] === count && shape.length >= 2 && shape.slice(2).every((size) => size === 1)) {
    return output.reshape([count, shape[1]]);
  }
  throw new DataError(
    `the output ${graph.output} is [${shape.join(", ")}] for ${count} images, expected one vector an image`,
    "export the model for any number of images, or choose another output",
  );
}

/**
 * An ONNX model as a network: images [N, 3, S, S] to features [N, `dimension`]. Its parameters have the names of
 * the file's initialisers; means and variances of batch norms are statistics that no batch changes, so nothing
 * leaks between images. `init` gives the weights of the file, whatever the seed.
 */
export function onnxNetwork(
  graph: TrainableGraph,
  { layout, dimension }: { layout: OnnxLayout; dimension: number },
): Network {
  return {
    name: "onnx",
    dimension,
    parameters: plain(graph.parameters, ({ shape }) => shape.length > 1),
    statistics: plain(graph.statistics, () => false),
    init: () => onnxVariables(graph),
    apply(variables, x) {
      checkShapes("onnx", { input: [x, "N 3 H W"] });
      const statistics: ArrayRecord = refArrays(variables.statistics);
      return { features: onnxFeatures(graph, layout, variables, x), statistics };
    },
  };
}
