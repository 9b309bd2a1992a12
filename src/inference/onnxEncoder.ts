import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";

import { z } from "zod";

import { type HostArray, zeros } from "../core/arrays.ts";
import { ConfigError, DataError } from "../core/errors.ts";
import { harmless, quoted } from "../core/quote.ts";
import type { OnnxLayout } from "../encoders/index.ts";
import { openOnnx, type OnnxModel, type OnnxOptions, type OnnxValue } from "../engine/index.ts";
import { explained, insideFolder } from "../files/index.ts";
import { aboutLater } from "./about.ts";
import { embedBatches, type EmbedCalls, type Rows } from "./embedder.ts";
import { type InputFormat, type KnownFormat, type StatedInput, wholeFormat } from "./format.ts";
import { imageInput, shownValue } from "./imageInput.ts";
import { preprocessingOf } from "./preprocessing.ts";
import { factsBeside } from "./repository.ts";

/** An ONNX image encoder of any origin, ready to embed. */
export type OnnxEncoder = {
  readonly path: string;
  readonly hash: string; // of the model and of what its input is taken to be
  readonly format: InputFormat;
  readonly dimension: number;
  embed(rows: Rows, calls?: EmbedCalls): Promise<Float32Array>;
  dispose(): Promise<void>;
};

/** What a model says of itself, whoever reads it. */
type Stated = Pick<OnnxModel, "inputs" | "outputs" | "metadata">;

const writtenJson = (text: string | undefined): unknown => {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as unknown);
  } catch {
    return undefined;
  }
};

/** A triple as contrapose writes it into a model, or undefined where there is none. */
function writtenTriple(text: string | undefined): readonly number[] | undefined {
  const value = writtenJson(text);
  return Array.isArray(value) && value.every((one) => typeof one === "number") ? value : undefined;
}

const Crop = z.object({ of: z.enum(["square", "whole"]), share: z.number().positive() });
const Filter = z.enum(["bilinear", "bicubic", "lanczos"]);

/** Size, mean and standard deviation as stated or, where they are not, as the model or the files beside it have them. */
function inputFacts(
  path: string,
  { metadata }: Stated,
  side: number | string,
  stated: StatedInput,
): KnownFormat {
  const fixed = typeof side === "number" && side > 0 ? side : undefined;
  const written = Number(metadata.imageSize) > 0 ? Number(metadata.imageSize) : undefined;
  const { config, processor } = factsBeside(path);
  const beside = preprocessingOf(config, processor);
  return {
    imageSize: stated.imageSize ?? fixed ?? written ?? beside.imageSize,
    mean: stated.mean ?? writtenTriple(metadata.mean) ?? beside.mean,
    std: stated.std ?? writtenTriple(metadata.std) ?? beside.std,
    crop: Crop.safeParse(writtenJson(metadata.crop)).data ?? beside.crop,
    interpolation: Filter.safeParse(metadata.interpolation).data ?? beside.interpolation,
  };
}

/** How images become the input of a model, as stated, or as the model or the files beside it have it. */
export function onnxFormat(
  path: string,
  model: Stated,
  { input, layout }: ReturnType<typeof imageInput>,
  stated: StatedInput,
): InputFormat {
  const sides = layout === "planes" ? input.shape.slice(2) : input.shape.slice(1, 3);
  const format = wholeFormat(path, inputFacts(path, model, sides[0], stated));
  const { imageSize } = format;
  const unlike = (size: number | string) =>
    typeof size === "number" && size > 0 && size !== imageSize;
  if (!sides.some(unlike)) return format;
  const takes = `${quoted(path)} takes ${shownValue(input)}`;
  if (stated.imageSize === undefined) {
    throw new DataError(`${takes}, expected square images`, "export it for square images");
  }
  throw new ConfigError(`--image-size: ${takes}, not images of ${imageSize} px`);
}

/** The output that holds the features: the first unless another is named. */
export function featuresOutput(
  path: string,
  { outputs }: Stated,
  name: string | undefined,
): OnnxValue {
  const found = name === undefined ? outputs[0] : outputs.find((output) => output.name === name);
  const names = outputs.map((output) => output.name).join(", ");
  if (outputs.length === 0) throw new DataError(`${quoted(path)} is a model without outputs`);
  if (found === undefined) {
    throw new ConfigError(`--output: ${quoted(path)} has no output ${name}, only ${names}`);
  }
  const flat = found.shape.length >= 2 && found.shape.slice(2).every((size) => size === 1);
  if (found.type === "float32" && flat) return found;
  throw new DataError(
    `${quoted(path)} gives ${shownValue(found)}, expected one vector of float32 an image, [N, D]`,
    outputs.length > 1 ? `choose another with --output: ${names}` : "export it without maps behind",
  );
}

/** Planes [3, S, S] at `offset` as pixels [S, S, 3]. */
function interleave(data: Float32Array, offset: number, size: number, planes: Float32Array): void {
  const n = size * size;
  planes.set(data.subarray(offset, offset + 3 * n));
  for (let i = 0; i < 3 * n; i++) data[offset + i] = planes[(i % 3) * n + Math.floor(i / 3)];
}

function asPixels(rows: Rows, size: number): Rows {
  const planes = new Float32Array(3 * size * size);
  return {
    ...rows,
    async fill(row, out, offset) {
      await rows.fill(row, out, offset);
      interleave(out, offset, size, planes);
    },
  };
}

const BATCH = 32; // images at once where a model takes any number

/** Shape of a batch as the model takes it, and whether it takes `any` smaller one too. */
function batchOf({ shape: [count] }: OnnxValue, layout: OnnxLayout, size: number) {
  const fixed = typeof count === "number" && count > 0 ? count : undefined;
  const each = layout === "planes" ? [3, size, size] : [size, size, 3];
  return { shape: [fixed ?? BATCH, ...each], any: fixed === undefined };
}

const described = ({ dtype, shape }: HostArray): string => shownValue({ type: dtype, shape });

/** Runs a model on one batch; what fails there is the model's own affair. */
async function runModel(
  path: string,
  model: OnnxModel,
  { input, output }: { input: OnnxValue; output: OnnxValue },
  images: HostArray<"float32">,
): Promise<HostArray<"float32">> {
  let result: HostArray<"float32">;
  try {
    const results = await model.run({ [input.name]: images }, [output.name]);
    result = results[output.name];
  } catch (cause) {
    const [first] = (cause instanceof Error ? cause.message : String(cause)).split("\n");
    throw new DataError(
      `${quoted(path)} cannot compute ${described(images)}: ${harmless(first).slice(0, 300)}`,
      "give another --image-size, or a model that takes as many images at once",
      { cause },
    );
  }
  if (result.shape[0] === images.shape[0] && result.data.length > 0) return result;
  throw new DataError(
    `${quoted(path)} gives ${described(result)} for ${described(images)}, expected one vector an image`,
    "export it so that every image has a row",
  );
}

type Infer = (images: HostArray<"float32">) => Promise<HostArray<"float32">>;

/** The batches that a model takes; one that fails where images come together is asked one by one. */
async function workingBatch(infer: Infer, batch: ReturnType<typeof batchOf>) {
  if (!batch.any) return batch;
  const [, ...each] = batch.shape;
  try {
    await infer(zeros([2, ...each]));
    return batch;
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    return { shape: [1, ...each], any: false };
  }
}

/** Hash of the model's file, of the files that hold weights of it, and of what its input is taken to be. */
async function hashOf(path: string, bytes: Uint8Array, { external }: OnnxModel, settings: string) {
  const hash = createHash("sha256").update(bytes);
  for (const name of external) {
    const file = insideFolder(dirname(path), name);
    await explained("read", file, async () => {
      for await (const piece of createReadStream(file)) hash.update(piece as Buffer);
    });
  }
  return hash.update(settings).digest("hex");
}

async function openModel(path: string, options: OnnxOptions) {
  const bytes = await explained("read", path, () => readFile(path));
  return { bytes, model: await aboutLater(path, () => openOnnx(bytes, { ...options, path })) };
}

/**
 * Opens an ONNX model that turns images into vectors. What its input must be is read from the model where
 * contrapose wrote it, else from `stated`. Throws `ConfigError` where that leaves anything unknown.
 */
export async function openOnnxEncoder(
  path: string,
  stated: StatedInput = {},
  options: OnnxOptions = {},
): Promise<OnnxEncoder> {
  const { bytes, model } = await openModel(path, options);
  try {
    const { input, layout } = imageInput(quoted(path), model);
    const format = onnxFormat(path, model, { input, layout }, stated);
    const output = featuresOutput(path, model, stated.output);
    const { imageSize: size } = format;
    const infer: Infer = (images) => runModel(path, model, { input, output }, images);
    const batch = await workingBatch(infer, batchOf(input, layout, size));
    const embed = (rows: Rows, calls: EmbedCalls = {}) =>
      embedBatches(layout === "planes" ? rows : asPixels(rows, size), batch, infer, calls);
    const dimension = (await embed({ count: 1, fill: () => undefined })).length;
    const settings = JSON.stringify([format, output.name]);
    const hash = await hashOf(path, bytes, model, settings);
    return { path, hash, format, dimension, embed, dispose: () => model.dispose() };
  } catch (error) {
    await model.dispose();
    throw error;
  }
}
