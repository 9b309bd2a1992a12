import { ConfigError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";
import type { PixelRange, SplitChoice } from "../data/index.ts";
import { checkDevice } from "../engine/index.ts";
import {
  type EncoderDescription,
  hashOfWeights,
  type InputFormat,
  inputFormat,
  loadEncoder,
  type LoadedEncoder,
  loadHead,
  onnxAt,
  openOnnxEncoder,
  type Rows,
  type StatedInput,
} from "../inference/index.ts";
import type { Features } from "../metrics/index.ts";
import { type FeaturesKind, type OpenEncoder, openEncoder, openFixedEncoder } from "./embedSet.ts";

/** An encoder of images, ready to embed: one of a run, or any ONNX model. */
export type ImageEncoder = {
  readonly path: string;
  /** Changes whenever the same image may get another vector. */
  readonly hash: string;
  /** What it is, in words. */
  readonly about: string;
  readonly format: InputFormat;
  readonly dimension: number;
  readonly features: FeaturesKind;
  /** The images it was trained on, where that is known. */
  readonly data: string | undefined;
  /** How images of more than 8 bits were shown in training, where there were any. */
  readonly ranges?: readonly PixelRange[] | undefined;
  readonly split: SplitChoice | undefined;
  embed(
    rows: Rows,
    calls?: { progress?: (done: number) => void; signal?: AbortSignal | undefined },
  ): Promise<Features>;
  dispose(): Promise<void>;
};

/** How an encoder is opened. */
export type ImageEncoderOptions = {
  readonly features?: FeaturesKind | undefined;
  readonly device?: string | undefined;
  readonly threads?: number | undefined;
  /** What a foreign ONNX model takes. */
  readonly stated?: StatedInput | undefined;
};

const headOf = (loaded: LoadedEncoder, features: FeaturesKind) =>
  features === "head" ? loadHead(loaded) : undefined;

function hashWith(
  { description, variables }: LoadedEncoder,
  features: FeaturesKind,
  head: Awaited<ReturnType<typeof headOf>>,
): string {
  const { encoder, graph } = description;
  const facts = [
    encoder,
    inputFormat(description),
    features,
    ...(graph === undefined ? [] : [graph]),
  ];
  return hashOfWeights({ encoder: variables, head: head?.variables ?? {} }, facts);
}

/** Changes whenever features of an encoder may change. */
export async function encoderHash(loaded: LoadedEncoder, features: FeaturesKind): Promise<string> {
  return hashWith(loaded, features, await headOf(loaded, features));
}

const BATCH = 128; // images at once, where there are as many
const FIXED_BATCH = 16; // on a processor, in whose caches the maps of more do not stay

/** Images at once where `count` are asked for: a power of two, so that few programs serve all counts. */
const batchFor = (count: number, most: number) => Math.min(most, 2 ** Math.ceil(Math.log2(count)));

/**
 * Opens an encoder that is loaded already. It is compiled when images come, for as many at once as there
 * are: a single picture does not wait for a whole batch.
 */
export async function openLoaded(
  loaded: LoadedEncoder,
  options: ImageEncoderOptions = {},
): Promise<ImageEncoder> {
  const { path, description } = loaded;
  const { features = "features", device, threads } = options;
  const format = inputFormat(description);
  checkDevice(device ?? "cpu");
  const head = await headOf(loaded, features);
  const hash = hashWith(loaded, features, head);
  const { dimension } = head?.network ?? loaded.network;
  const fixed = (device ?? "cpu") === "cpu";
  const compiled = new Map<number, Promise<Pick<OpenEncoder, "embed" | "dispose">>>(); // by batch size
  const compiledFor = (batchSize: number) => {
    const known = compiled.get(batchSize);
    if (known !== undefined) return known;
    const options = { device, threads, batchSize };
    const opening = fixed
      ? openFixedEncoder(loaded, head, options)
      : openEncoder(loaded, features, options);
    compiled.set(batchSize, opening);
    opening.catch(() => compiled.delete(batchSize));
    return opening;
  };
  return {
    path,
    hash,
    format,
    features,
    data: description.training?.data,
    ranges: description.training?.ranges,
    split: description.training?.split,
    about: aboutOf(description),
    dimension,
    async embed(rows, calls) {
      if (rows.count === 0) return { data: new Float32Array(0), count: 0, dimension };
      return (await compiledFor(batchFor(rows.count, fixed ? FIXED_BATCH : BATCH))).embed(
        rows,
        calls,
      );
    },
    async dispose() {
      for (const opened of compiled.values()) await (await opened).dispose();
    },
  };
}

const aboutOf = ({ encoder, start, training }: EncoderDescription): string =>
  start !== undefined && training === undefined
    ? `${encoder.name} of ${start.from}`
    : JSON.stringify(encoder);

/** Opens the encoder of a run, of a checkpoint, a weights file or a repository's folder, or an ONNX model. */
export async function openImageEncoder(
  path: string,
  options: ImageEncoderOptions = {},
): Promise<ImageEncoder> {
  const { stated = {}, features, device, threads } = options;
  const onnx = onnxAt(path);
  if (onnx === undefined) return openLoaded(await loadEncoder(path, stated), options);
  if (features === "head") {
    throw new ConfigError(
      `--features: ${quoted(path)} is an ONNX model, it has no head beside it`,
      "export the run with --features head",
    );
  }
  const opened = await openOnnxEncoder(onnx, stated, { device, threads });
  const { dimension, format, hash } = opened;
  return {
    path: onnx,
    hash,
    format,
    dimension,
    features: "features",
    data: undefined,
    split: undefined,
    about: "an ONNX model",
    embed: async (rows, calls) => ({
      data: await opened.embed(rows, calls),
      count: rows.count,
      dimension,
    }),
    dispose: () => opened.dispose(),
  };
}
