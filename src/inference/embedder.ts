import { type HostArray, hostArray, type HostTree, sizeOf } from "../core/arrays.ts";
import { ContraposeError, DataError } from "../core/errors.ts";
import { l2Normalize } from "../core/numerics.ts";
import type { PixelImage } from "../core/pixels.ts";
import type { HostVariables, Network, Variables } from "../encoders/index.ts";
import {
  compile,
  type CompileOptions,
  defaultThreads,
  exportOnnx,
  openOnnx,
  type Program,
  type SpecTree,
  type TracedFunction,
} from "../engine/index.ts";
import type { InputFormat } from "./format.ts";
import { createRenderer, identityParameters, type ViewParameters } from "../views/index.ts";

/** Images by number, as packed datasets give them; a few pixels at a time are in memory. */
export type ImageSource = {
  readonly count: number;
  image(index: number): PixelImage;
  /** Images as their files hold them, where these are known; `indices` ascend. */
  readonly originals?: ((indices: ArrayLike<number>) => AsyncIterable<PixelImage>) | undefined;
};

/**
 * Inputs of an encoder, made when they are needed: row i is [3, S, S], written to `out` at `offset`. Rows are asked for
 * in order, one after the other; `close` ends what makes them.
 */
export type Rows = {
  readonly count: number;
  fill(row: number, out: Float32Array, offset: number): void | Promise<void>;
  close?(): Promise<void>;
};

/** Rows that are made at once. */
export type ReadyRows = Omit<Rows, "fill"> & {
  fill(row: number, out: Float32Array, offset: number): void;
};

/** Where an embedder runs and how many images it takes at once. */
export type EmbedderOptions = {
  device?: string | undefined;
  threads?: number | undefined;
  tune?: CompileOptions["tune"];
  batchSize?: number | undefined;
};

/** What is told of an embedding while it goes on, and what stops it. */
export type EmbedCalls = {
  progress?: (done: number) => void;
  signal?: AbortSignal | undefined;
};

/** A compiled encoder in evaluation mode. */
export type Embedder = {
  readonly dimension: number;
  /** Features [count, D] of rows, in their order. */
  embed(variables: HostTree, rows: Rows, calls?: EmbedCalls): Promise<Float32Array>;
  dispose(): Promise<void>;
};

/**
 * What evaluation, search and export feed of an image: its centred square or the whole of it, or a share of
 * that as the encoder asks, resized to the side.
 */
export function centreCrop(image: PixelImage, { crop }: Pick<InputFormat, "crop"> = {}) {
  const { of = "square", share = 1 } = crop ?? {};
  const side = Math.min(image.width, image.height);
  const kept = (size: number) => Math.max(1, Math.round((of === "square" ? side : size) * share));
  const [width, height] = [kept(image.width), kept(image.height)];
  const x = Math.floor((image.width - width) / 2);
  const y = Math.floor((image.height - height) / 2);
  return { ...identityParameters(image), crop: { x, y, width, height } };
}

/**
 * Images, all or those of `indices`, as the rows of an encoder: cropped, by default as its format says,
 * resized, normalised.
 */
export function imageRows(
  images: ImageSource,
  format: InputFormat,
  indices?: ArrayLike<number>,
  crop: (image: PixelImage) => ViewParameters = (image) => centreCrop(image, format),
): ReadyRows {
  const { imageSize: size, mean, std, interpolation } = format;
  const render = createRenderer({ size, mean: [...mean], std: [...std], interpolation });
  return {
    count: indices?.length ?? images.count,
    fill(row, out, offset) {
      const image = images.image(indices?.[row] ?? row);
      render(image, crop(image), out, offset);
    },
  };
}

/** Features [batch, D] of one batch; what it returns may be used until the next call. */
type Infer = (images: HostArray<"float32">) => Promise<HostArray<"float32">>;

async function embedOpen(
  rows: Rows,
  { shape, any = false }: { shape: readonly number[]; any?: boolean },
  infer: Infer,
  { signal, progress }: EmbedCalls,
): Promise<Float32Array> {
  const [batchSize, ...each] = shape;
  const values = sizeOf(shape);
  const width = values / batchSize;
  let [input, next] = [new Float32Array(values), new Float32Array(values)];
  const sizeAt = (start: number) => Math.max(0, Math.min(batchSize, rows.count - start));
  const fill = async (start: number, out: Float32Array) => {
    for (let i = 0; i < sizeAt(start); i++) await rows.fill(start + i, out, i * width);
  };
  let features: Float32Array | undefined;
  await fill(0, input);
  for (let start = 0; start < rows.count; start += batchSize) {
    if (signal?.aborted === true) throw new ContraposeError("embedding was interrupted");
    const count = sizeAt(start);
    const given = any ? count : batchSize;
    const running = infer(hostArray("float32", [given, ...each], input.subarray(0, given * width)));
    let result: HostArray<"float32">;
    try {
      await fill(start + batchSize, next);
    } finally {
      result = await running; // never left behind running
    }
    const dimension = sizeOf(result.shape) / given;
    features ??= new Float32Array(rows.count * dimension);
    if (features.length !== rows.count * dimension) {
      throw new DataError(
        `the model gives ${dimension} numbers an image, expected ${features.length / rows.count} as before`,
      );
    }
    features.set(result.data.subarray(0, count * dimension), start * dimension);
    progress?.(start + count);
    [input, next] = [next, input];
  }
  return features ?? new Float32Array(0);
}

/**
 * Features [count, D] of rows, computed batch by batch; the rows of the next batch are made while one is
 * computed. `shape` is that of a batch, [B, 3, S, S]; the last batch is smaller where `infer` takes `any`
 * size, else it is filled up with what stood there before.
 */
export async function embedBatches(
  rows: Rows,
  batch: { shape: readonly number[]; any?: boolean },
  infer: Infer,
  calls: EmbedCalls,
): Promise<Float32Array> {
  try {
    return await embedOpen(rows, batch, infer, calls);
  } finally {
    await rows.close?.();
  }
}

async function embedAll(
  program: Program,
  variables: HostTree,
  rows: Rows,
  shape: readonly number[],
  calls: EmbedCalls,
): Promise<Float32Array> {
  let last: HostArray<"float32"> | undefined;
  const infer: Infer = async (images) => {
    if (last !== undefined) program.recycle(last);
    last = (await program.run(variables, images)) as HostArray<"float32">;
    return last;
  };
  return embedBatches(rows, { shape }, infer, calls);
}

/**
 * Compiles `embed`, a function of variables and inputs [N, ...input] to [N, D], for batches of one size.
 * `variables` gives the shapes; the values are given with each call.
 */
export async function openEmbedder(
  embed: TracedFunction,
  variables: HostTree,
  dimension: number,
  input: readonly number[],
  options: EmbedderOptions,
): Promise<Embedder> {
  const { device, threads, tune, batchSize = 128 } = options;
  const shape = [batchSize, ...input];
  const example = [variables as SpecTree, { dtype: "float32" as const, shape }];
  const program = await compile(embed, example, { device, threads, tune });
  return {
    dimension,
    embed: (current, rows, calls = {}) => embedAll(program, current, rows, shape, calls),
    dispose: () => program.dispose(),
  };
}

/** An embedder whose weights cannot change. */
export type FixedEmbedder = Omit<Embedder, "embed"> & {
  embed(rows: Rows, calls?: EmbedCalls): Promise<Float32Array>;
};

/**
 * Compiles `embed` with its weights inside, for a processor: ONNX Runtime folds what follows from them, as batch norms
 * into convolutions, and lays them out once.
 */
export async function openFixedEmbedder(
  embed: TracedFunction,
  weights: HostTree,
  { dimension, imageSize }: { dimension: number; imageSize: number },
  { threads, batchSize: batch = 16 }: Pick<EmbedderOptions, "threads" | "batchSize">,
): Promise<FixedEmbedder> {
  const each = [3, imageSize, imageSize];
  const names = { input: "images", output: "features", weight: (path: string) => path };
  const model = await exportOnnx(embed, weights, { shape: each, batch }, names);
  const session = await openOnnx(model!, { threads: threads ?? defaultThreads() }); // undefined for "any" only
  const infer: Infer = async (images) => (await session.run({ images })).features;
  return {
    dimension,
    embed: (rows, calls = {}) => embedBatches(rows, { shape: [batch, ...each] }, infer, calls),
    dispose: () => session.dispose(),
  };
}

const mode = { training: false };

/** A network as a function of its variables and images [N, 3, S, S], to features [N, D] before any head. */
export const featuresOf =
  (network: Network) =>
  (arrays: Variables, images: never): ReturnType<Network["apply"]>["features"] =>
    network.apply(arrays, images, mode).features;

/** The same with a head, to unit embeddings. Its variables are `{ encoder, head }`. */
export const headFeaturesOf =
  (networks: { encoder: Network; head: Network }) =>
  (arrays: { encoder: Variables; head: Variables }, images: never) => {
    const { features } = networks.encoder.apply(arrays.encoder, images, mode);
    return l2Normalize(networks.head.apply(arrays.head, features, mode).features);
  };

const inputOf = ({ inputs }: Network, side: number): number[] =>
  inputs === undefined ? [3, side, side] : [inputs];

/** An embedder of a network's features, before any head. Its variables are the encoder's. */
export function openFeatures(
  network: Network,
  variables: HostVariables,
  { imageSize }: Pick<InputFormat, "imageSize">,
  options: EmbedderOptions = {},
): Promise<Embedder> {
  const input = inputOf(network, imageSize);
  return openEmbedder(featuresOf(network), variables, network.dimension, input, options);
}

/** An embedder of unit embeddings behind the head. Its variables are `{ encoder, head }`. */
export function openHeadFeatures(
  networks: { encoder: Network; head: Network },
  variables: { encoder: HostVariables; head: HostVariables },
  { imageSize }: Pick<InputFormat, "imageSize">,
  options: EmbedderOptions = {},
): Promise<Embedder> {
  const input = inputOf(networks.encoder, imageSize);
  return openEmbedder(headFeaturesOf(networks), variables, networks.head.dimension, input, options);
}
