import { join } from "node:path";

import { hostArray, type HostTree } from "../core/arrays.ts";
import { ConfigError, ContraposeError } from "../core/errors.ts";
import { randomStream } from "../core/random.ts";
import { type HostVariables, type OnnxLayout, underMakersNames } from "../encoders/index.ts";
import { exportOnnx, filledModel, onnxGraph, openOnnx, wholeModel } from "../engine/index.ts";
import { writeFileAtomic, writeSafetensors } from "../files/index.ts";
import {
  encoderMetadata,
  featuresOf,
  graphFile,
  headFeaturesOf,
  imageInput,
  inputFormat,
  type LoadedEncoder,
  loadHead,
  openFeatures,
  openHeadFeatures,
} from "../inference/index.ts";
import type { FeaturesKind } from "./embedSet.ts";
import { loadingCode } from "./loadingCode.ts";

/** Files of an exported encoder. */
export type Exported = {
  readonly onnx: string;
  readonly weights: string;
  /** The same weights under the names of the maker of the start, where it came by names. */
  readonly makers: string | undefined;
  readonly description: string; // the input and the output as JSON
  readonly readme: string;
  readonly batch: number | "any";
  readonly dimension: number;
  readonly imageSize: number;
  /** Largest absolute difference to the encoder in the run, on random images. */
  readonly difference: number;
  /** That difference beside the largest feature. */
  readonly relative: number;
  /** Names of the input and the output of the model. */
  readonly input: string;
  readonly output: string;
  /** Arrays that were rounded to 16 bits, as the model has them. */
  readonly narrowed: number;
};

type Exportable = {
  embed: (weights: never, images: never) => unknown;
  weights: HostTree;
  dimension: number;
  reference: (images: Float32Array, count: number) => Promise<Float32Array>;
};

async function exportable(loaded: LoadedEncoder, kind: FeaturesKind): Promise<Exportable> {
  const { network, variables, description } = loaded;
  const values = 3 * description.imageSize ** 2;
  const rows = (images: Float32Array, count: number) => ({
    count,
    fill: (row: number, out: Float32Array, offset: number) =>
      out.set(images.subarray(row * values, (row + 1) * values), offset),
  });
  if (kind === "features") {
    return {
      embed: featuresOf(network),
      weights: variables,
      dimension: network.dimension,
      async reference(images, count) {
        const embedder = await openFeatures(network, variables, description, { batchSize: count });
        const features = await embedder.embed(variables, rows(images, count));
        await embedder.dispose();
        return features;
      },
    };
  }
  const head = await loadHead(loaded);
  const both = { encoder: variables, head: head.variables };
  const networks = { encoder: network, head: head.network };
  return {
    embed: headFeaturesOf(networks),
    weights: both,
    dimension: head.network.dimension,
    async reference(images, count) {
      const options = { batchSize: count };
      const embedder = await openHeadFeatures(networks, both, description, options);
      const features = await embedder.embed(both, rows(images, count));
      await embedder.dispose();
      return features;
    },
  };
}

/** `0/parameters/conv1.weight` without what names the tree. */
const weightName = (path: string): string =>
  path.replace(/^(encoder|head)\//, "").replace(/^(parameters|statistics)\//, "");

/** A written model, and how its input and output are called. */
type Model = {
  readonly bytes: Uint8Array;
  readonly input: string;
  readonly output: string;
  readonly layout: OnnxLayout;
};

/** Images [N, 3, S, S] as [N, S, S, 3]. */
function pixelsLast(images: Float32Array, size: number): Float32Array<ArrayBuffer> {
  const area = size * size;
  return Float32Array.from(images, (_, i) => {
    const image = Math.floor(i / (3 * area));
    return images[3 * image * area + (i % 3) * area + Math.floor((i % (3 * area)) / 3)];
  });
}

/** How far the features of a model are from the encoder's, on random images. */
async function distance(
  { bytes, input, output, layout }: Model,
  { reference }: Exportable,
  imageSize: number,
  count: number,
): Promise<{ difference: number; relative: number }> {
  const stream = randomStream(count, "export");
  const images = Float32Array.from({ length: count * 3 * imageSize ** 2 }, () =>
    stream.uniform(-2, 2),
  );
  const planes = layout === "planes";
  const shape = planes ? [count, 3, imageSize, imageSize] : [count, imageSize, imageSize, 3];
  const given = hostArray("float32", shape, planes ? images : pixelsLast(images, imageSize));
  const session = await openOnnx(bytes);
  try {
    const features = (await session.run({ [input]: given }, [output]))[output];
    const expected = await reference(images, count);
    let [difference, largest] = [0, 0];
    expected.forEach((value, i) => {
      difference = Math.max(difference, Math.abs(value - features.data[i]));
      largest = Math.max(largest, Math.abs(value));
    });
    return { difference, relative: difference / Math.max(largest, 1e-30) };
  } finally {
    await session.dispose();
  }
}

const TOLERANCE = 1e-3; // of the largest feature; other operators round otherwise
const NARROW = 2e-2; // where weights are rounded to 16 bits

/** How a model compares with the encoder, for batches of one size or of any. */
async function compared(
  model: Model,
  source: Exportable,
  imageSize: number,
  batch: number | "any",
): Promise<{ difference: number; relative: number }> {
  const all = [];
  for (const count of batch === "any" ? [1, 3] : [batch]) {
    all.push(await distance(model, source, imageSize, count));
  }
  return {
    difference: Math.max(...all.map((found) => found.difference)),
    relative: Math.max(...all.map((found) => found.relative)),
  };
}

type Written = Model & { batch: number | "any"; narrowed: number } & Awaited<
    ReturnType<typeof compared>
  >;

const unlike = () =>
  new ContraposeError("export: the written model does not give the encoder's features");

/** A model and how it compares with the encoder; for batches of any size where that gives the same. */
async function writtenModel(
  source: Exportable,
  { imageSize, metadata }: { imageSize: number; metadata: Record<string, string> },
  asked: number | undefined,
): Promise<Written> {
  const names = { input: "images", output: "features", weight: weightName, metadata };
  const shape = [3, imageSize, imageSize];
  const attempts: (number | "any")[] = asked === undefined ? ["any", 1] : [asked];
  for (const batch of attempts) {
    const bytes = await exportOnnx(source.embed, source.weights, { shape, batch }, names);
    if (bytes === undefined) continue;
    const model: Model = { bytes, input: names.input, output: names.output, layout: "planes" };
    try {
      const found = await compared(model, source, imageSize, batch);
      if (found.relative < TOLERANCE) return { ...model, batch, narrowed: 0, ...found };
    } catch (error) {
      if (batch !== "any") throw error; // shapes that do not allow any batch show here
    }
  }
  throw unlike();
}

/** The model that an encoder came as, with the weights of now: nodes, inputs and outputs are the same. */
async function startModel(
  source: Exportable,
  { description, variables }: LoadedEncoder,
  graph: string,
  metadata: Record<string, string>,
): Promise<Written> {
  const { bytes, narrowed } = filledModel(graphFile(graph), allArrays(variables), metadata);
  const { input, layout } = imageInput("the start", onnxGraph(wholeModel(bytes)));
  const [count] = input.shape;
  const batch = typeof count === "number" && count > 0 ? count : "any";
  const output = String(description.encoder.output);
  const model: Model = { bytes, input: input.name, output, layout };
  const found = await compared(model, source, description.imageSize, batch);
  if (found.relative >= (narrowed > 0 ? NARROW : TOLERANCE)) throw unlike();
  return { ...model, batch, narrowed, ...found };
}

/** The ONNX model of an encoder: the graph of its start where that is all of it, else a new one. */
export async function modelOf(
  loaded: LoadedEncoder,
  features: FeaturesKind,
  batch: number | undefined,
): Promise<Written & { dimension: number }> {
  const { description } = loaded;
  const { graph, imageSize, adapter } = description;
  const source = await exportable(loaded, features);
  const { dimension } = source;
  const metadata = encoderMetadata({ ...description, dimension, graph: undefined });
  if (graph === undefined || adapter !== undefined || features === "head") {
    return { dimension, ...(await writtenModel(source, { imageSize, metadata }, batch)) };
  }
  if (batch !== undefined) {
    throw new ConfigError(
      "--batch: the model keeps the inputs of the ONNX model that it began as",
      "leave it out",
    );
  }
  return { dimension, ...(await startModel(source, loaded, graph, metadata)) };
}

/** An encoder's arrays under the names that their maker gave them, where it came by names. */
export function makersArrays({ description, network, variables }: LoadedEncoder) {
  const origin = description.start?.origin;
  const byName = origin !== undefined && Object.keys(origin.arrays).length > 0;
  return byName ? underMakersNames(network, variables, origin) : undefined;
}

/**
 * Writes an encoder for use elsewhere: `encoder.onnx`, `weights.safetensors` and the code that loads them. What
 * began as an ONNX model is that model again, with other weights; what began as weights of another maker comes
 * under his names too, as `model.safetensors`. The model is loaded back and compared with the encoder.
 */
export async function exportEncoder(
  loaded: LoadedEncoder,
  folder: string,
  {
    batch,
    features = "features",
  }: { batch?: number | undefined; features?: FeaturesKind | undefined } = {},
): Promise<Exported> {
  const { description, variables } = loaded;
  const { imageSize } = description;
  const { bytes, layout, ...about } = await modelOf(loaded, features, batch);
  const makers = makersArrays(loaded);
  const files = {
    onnx: join(folder, "encoder.onnx"),
    weights: join(folder, "weights.safetensors"),
    makers: makers && join(folder, "model.safetensors"),
    description: join(folder, "encoder.json"),
    readme: join(folder, "README.md"),
  };
  await writeFileAtomic(files.onnx, bytes);
  await writeSafetensors(files.weights, allArrays(variables), encoderMetadata(description));
  if (makers !== undefined) await writeSafetensors(files.makers!, makers, { format: "pt" });
  const { input, output, dimension } = about;
  const names = { input, output, layout, ...inputFormat(description) };
  const described = { ...names, batch: about.batch, dimension, features };
  await writeFileAtomic(files.description, `${JSON.stringify(described, null, 2)}\n`);
  const told = { ...about, imageSize, layout, features };
  await writeFileAtomic(files.readme, loadingCode(description, told));
  return { ...files, ...about, imageSize };
}

/** Parameters and statistics in one record. */
export const allArrays = ({ parameters, statistics }: HostVariables) => ({
  ...parameters,
  ...statistics,
});
