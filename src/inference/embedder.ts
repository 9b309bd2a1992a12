import { type HostArray, hostArray, type HostTree, sizeOf } from "../core/arrays.ts";
import { ContraposeError } from "../core/errors.ts";
import type { PixelImage } from "../core/pixels.ts";
import type { HostVariables, Network, Variables } from "../encoders/index.ts";
import { compile, type Program, type SpecTree, type TracedFunction } from "../engine/index.ts";
import { createRenderer, identityParameters } from "../views/index.ts";

/** Images by number, as packed datasets give them; a few pixels at a time are in memory. */
export type ImageSource = { readonly count: number; image(index: number): PixelImage };

/** How an image becomes the input of an encoder. */
export type InputFormat = {
  readonly imageSize: number; // side in pixels
  readonly mean: readonly [number, number, number]; // of red, green, blue in [0, 1]
  readonly std: readonly [number, number, number];
};

/** Where an embedder runs and how many images it takes at once. */
export type EmbedderOptions = {
  device?: string | undefined;
  threads?: number | undefined;
  batchSize?: number | undefined;
};

/** A compiled encoder in evaluation mode. */
export type Embedder = {
  readonly dimension: number;
  /** Features [count, D] of some images (all by default), in their order. */
  embed(
    variables: HostTree,
    images: ImageSource,
    options?: {
      indices?: ArrayLike<number>;
      progress?: (done: number) => void;
      signal?: AbortSignal;
    },
  ): Promise<Float32Array>;
  dispose(): Promise<void>;
};

/** Crop of the centred square, resized to the side: what evaluation, search and export feed. */
export function centreCrop(image: PixelImage) {
  const side = Math.min(image.width, image.height);
  const crop = {
    x: Math.floor((image.width - side) / 2),
    y: Math.floor((image.height - side) / 2),
    width: side,
    height: side,
  };
  return { ...identityParameters(image), crop };
}

/** Writes images as an encoder takes them, planes [3, S, S] each, into rows of `out`. */
export function renderInputs(
  images: ImageSource,
  indices: ArrayLike<number>,
  format: InputFormat,
  out: Float32Array,
): void {
  const { imageSize: size, mean, std } = format;
  const render = createRenderer({ size, mean: [...mean], std: [...std] } as never);
  for (let row = 0; row < indices.length; row++) {
    const image = images.image(indices[row]);
    render(image, centreCrop(image), out, row * 3 * size * size);
  }
}

const specsOf = (tree: HostTree): SpecTree => tree as unknown as SpecTree;

async function embedAll(
  program: Program,
  variables: HostTree,
  plan: { images: ImageSource; indices: ArrayLike<number>; format: InputFormat; batchSize: number },
  watch: { progress?: (done: number) => void; signal?: AbortSignal },
): Promise<Float32Array> {
  const { images, indices, format, batchSize } = plan;
  const shape = [batchSize, 3, format.imageSize, format.imageSize];
  const input = new Float32Array(sizeOf(shape));
  let features: Float32Array | undefined;
  for (let start = 0; start < indices.length; start += batchSize) {
    if (watch.signal?.aborted === true) throw new ContraposeError("embedding was interrupted");
    const rows = Array.from(
      { length: Math.min(batchSize, indices.length - start) },
      (_, i) => indices[start + i],
    );
    renderInputs(images, rows, format, input);
    const result = (await program.run(
      variables,
      hostArray("float32", shape, input),
    )) as HostArray<"float32">;
    const dimension = result.shape[1];
    features ??= new Float32Array(indices.length * dimension);
    features.set(result.data.subarray(0, rows.length * dimension), start * dimension);
    program.recycle(result);
    watch.progress?.(start + rows.length);
  }
  return features ?? new Float32Array(0);
}

/**
 * Compiles `embed`, a function of variables and images [N, 3, S, S] to [N, D], for batches of one size.
 * `variables` gives the shapes; the values are given with each call.
 */
export async function openEmbedder(
  embed: TracedFunction,
  variables: HostTree,
  dimension: number,
  format: InputFormat,
  options: EmbedderOptions = {},
): Promise<Embedder> {
  const { device, threads, batchSize = 128 } = options;
  const { imageSize } = format;
  const input = { dtype: "float32" as const, shape: [batchSize, 3, imageSize, imageSize] };
  const program = await compile(embed, [specsOf(variables), input], { device, threads });
  return {
    dimension,
    async embed(current, images, { indices, ...watch } = {}) {
      const chosen = indices ?? Int32Array.from({ length: images.count }, (_, i) => i);
      return embedAll(program, current, { images, indices: chosen, format, batchSize }, watch);
    },
    dispose: () => program.dispose(),
  };
}

/** An embedder of a network's features, before any head. */
export function openFeatures(
  network: Network,
  variables: HostVariables,
  format: InputFormat,
  options: EmbedderOptions = {},
): Promise<Embedder> {
  const embed = (arrays: Variables, images: never) =>
    network.apply(arrays, images, { training: false }).features;
  return openEmbedder(embed, variables, network.dimension, format, options);
}
