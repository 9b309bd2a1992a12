import type { HostTree } from "../core/arrays.ts";
import { ConfigError } from "../core/errors.ts";
import type { HostVariables, Network, Variables } from "../encoders/index.ts";
import { identityParameters } from "../views/index.ts";
import {
  type EmbedCalls,
  type EmbedderOptions,
  imageRows,
  type ImageSource,
  openEmbedder,
} from "./embedder.ts";
import type { InputFormat } from "./format.ts";

/** Where an encoder looks, for each of some images: [count, side, side], row by row. */
export type ActivationMaps = { readonly data: Float32Array; readonly side: number };

/** A compiled encoder that gives its last feature maps, summed over channels. */
export type Activations = {
  /** Maps of all images, in their order. */
  maps(variables: HostTree, images: ImageSource, calls?: EmbedCalls): Promise<ActivationMaps>;
  dispose(): Promise<void>;
};

/** An encoder that has no map of places. */
export function noMaps(network: Network): ConfigError {
  return new ConfigError(
    `encoder ${network.name} has no feature maps, expected one of convolutions`,
    "use resnet or convnet, boxes of the dataset, or a fixed box",
  );
}

/**
 * Compiles the part of an encoder before its pooling, in evaluation mode. Images are resized whole, without
 * keeping their shape, so that shares of a map's sides are shares of the image's.
 *
 * Nothing is timed: the same variables and images give the same bits in another process.
 */
export async function openActivations(
  network: Network,
  variables: HostVariables,
  format: InputFormat,
  options: Omit<EmbedderOptions, "tune"> = {},
): Promise<Activations> {
  const { maps } = network;
  if (maps === undefined) throw noMaps(network);
  const flat = (arrays: Variables, images: never) => {
    const map = maps(arrays, images); // [N, h, w]
    return map.reshape([map.shape[0], -1]); // [N, h · w]
  };
  const untimed = { ...options, tune: false };
  const embedder = await openEmbedder(
    flat,
    variables,
    0,
    [3, format.imageSize, format.imageSize],
    untimed,
  );
  return {
    async maps(current, images, calls) {
      const rows = imageRows(images, format, undefined, identityParameters);
      const data = await embedder.embed(current, rows, calls);
      return { data, side: Math.sqrt(data.length / rows.count) };
    },
    dispose: () => embedder.dispose(),
  };
}
