import { join } from "node:path";

import { hostArray, type HostTree } from "../core/arrays.ts";
import { ContraposeError } from "../core/errors.ts";
import { l2Normalize } from "../core/numerics.ts";
import { randomStream } from "../core/random.ts";
import type { HostVariables, Variables } from "../encoders/index.ts";
import { exportOnnx, openOnnx } from "../engine/index.ts";
import { writeFileAtomic, writeSafetensors } from "../files/index.ts";
import {
  encoderMetadata,
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
  readonly description: string; // the input and the output as JSON
  readonly readme: string;
  readonly batch: number | "any";
  readonly dimension: number;
  readonly imageSize: number;
  /** Largest absolute difference to the encoder in the run, on random images. */
  readonly difference: number;
  /** That difference beside the largest feature. */
  readonly relative: number;
};

type Exportable = {
  embed: (weights: never, images: never) => unknown;
  weights: HostTree;
  dimension: number;
  reference: (images: Float32Array, count: number) => Promise<Float32Array>;
};

const mode = { training: false };

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
      embed: (arrays: Variables, images: never) => network.apply(arrays, images, mode).features,
      ...{ weights: variables, dimension: network.dimension },
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
  return {
    embed: (arrays: { encoder: Variables; head: Variables }, images: never) => {
      const { features } = network.apply(arrays.encoder, images, mode);
      return l2Normalize(head.network.apply(arrays.head, features, mode).features);
    },
    ...{ weights: both, dimension: head.network.dimension },
    async reference(images, count) {
      const networks = { encoder: network, head: head.network };
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

async function distance(
  model: Uint8Array,
  { reference }: Exportable,
  imageSize: number,
  count: number,
): Promise<{ difference: number; relative: number }> {
  const stream = randomStream(count, "export");
  const images = Float32Array.from({ length: count * 3 * imageSize ** 2 }, () =>
    stream.uniform(-2, 2),
  );
  const session = await openOnnx(model);
  try {
    const shape = [count, 3, imageSize, imageSize];
    const { features } = await session.run({ images: hostArray("float32", shape, images) });
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

/** A model and how it compares with the encoder; for batches of any size where that gives the same. */
async function writtenModel(
  source: Exportable,
  { imageSize, metadata }: { imageSize: number; metadata: Record<string, string> },
  asked: number | undefined,
) {
  const names = { input: "images", output: "features", weight: weightName, metadata };
  const shape = [3, imageSize, imageSize];
  const attempts: (number | "any")[] = asked === undefined ? ["any", 1] : [asked];
  for (const batch of attempts) {
    const model = await exportOnnx(source.embed, source.weights, { shape, batch }, names);
    if (model === undefined) continue;
    try {
      const counts = batch === "any" ? [1, 3] : [batch];
      const all = [];
      for (const count of counts) all.push(await distance(model, source, imageSize, count));
      const difference = Math.max(...all.map((found) => found.difference));
      const relative = Math.max(...all.map((found) => found.relative));
      if (relative < TOLERANCE) return { model, batch, difference, relative };
    } catch (error) {
      if (batch !== "any") throw error; // shapes that do not allow any batch show here
    }
  }
  throw new ContraposeError("export: the written model does not give the encoder's features");
}

/**
 * Writes an encoder for use elsewhere: `encoder.onnx`, `weights.safetensors` with torchvision's names and
 * the code that loads them. The model is loaded back and compared with the encoder.
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
  const source = await exportable(loaded, features);
  const metadata = encoderMetadata({ ...description, dimension: source.dimension });
  const written = await writtenModel(source, { imageSize, metadata }, batch);
  const files = {
    onnx: join(folder, "encoder.onnx"),
    weights: join(folder, "weights.safetensors"),
    description: join(folder, "encoder.json"),
    readme: join(folder, "README.md"),
  };
  await writeFileAtomic(files.onnx, written.model);
  await writeSafetensors(files.weights, allArrays(variables), encoderMetadata(description));
  const { difference, relative } = written;
  const about = {
    batch: written.batch,
    dimension: source.dimension,
    imageSize,
    difference,
    relative,
  };
  const input = { input: "images", output: "features", ...inputFormat(description) };
  const described = { ...input, batch: about.batch, dimension: about.dimension, features };
  await writeFileAtomic(files.description, `${JSON.stringify(described, null, 2)}\n`);
  await writeFileAtomic(files.readme, loadingCode(description, { ...about, features }));
  return { ...files, ...about };
}

const allArrays = ({ parameters, statistics }: HostVariables) => ({ ...parameters, ...statistics });
