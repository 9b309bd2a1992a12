import type { ModelProto } from "onnx-buf";
import * as ort from "onnxruntime-node";

import { type DataOf, type HostArray, hostArray } from "../core/arrays.ts";
import { DataError, DeviceError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";
import { checkDevice } from "./device.ts";
import { externalTensors, metadataOf, type OnnxValue, parseModel, placeOf } from "./onnxGraph.ts";
import { toTensor } from "./program.ts";
import { runtimeMessage } from "./runtimeMessage.ts";

/** An ONNX model of any origin, loaded. */
export type OnnxModel = {
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  /** Texts that the model's maker left in it. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Files that hold weights of it, from its own folder. */
  readonly external: readonly string[];
  /** Outputs by name; those of `wanted` only where it is given. */
  run(
    inputs: Record<string, HostArray>,
    wanted?: readonly string[],
  ): Promise<Record<string, HostArray<"float32">>>;
  dispose(): Promise<void>;
};

/** Names of the files that hold weights outside the model's own file. */
const externalFiles = (model: ModelProto): string[] => [
  ...new Set(externalTensors(model).map((tensor) => placeOf(tensor).location)),
];

function valueOf(value: ort.InferenceSession.ValueMetadata): OnnxValue {
  return value.isTensor
    ? { name: value.name, type: value.type, shape: value.shape }
    : { name: value.name, type: "not a tensor", shape: [] };
}

function arrayOf(name: string, { type, dims, data }: ort.Tensor): HostArray<"float32"> {
  if (type === "float32") return hostArray("float32", dims, data as DataOf<"float32">);
  throw new DataError(`output ${quoted(name)} is ${type}, expected float32`);
}

/** Where a model runs. */
export type OnnxOptions = { device?: string | undefined; threads?: number | undefined };

/**
 * Loads an ONNX model with ONNX Runtime, as another program would. `path` is its file: weights that it
 * does not hold itself are looked for beside it.
 */
export async function openOnnx(
  model: Uint8Array,
  options: OnnxOptions & { path?: string } = {},
): Promise<OnnxModel> {
  const parsed = parseModel(model);
  const external = externalFiles(parsed);
  const device = checkDevice(options.device ?? "cpu");
  const settings: ort.InferenceSession.SessionOptions = {
    executionProviders: ["cpu", "reference"].includes(device) ? ["cpu"] : [device, "cpu"],
    ...(options.threads === undefined ? {} : { intraOpNumThreads: options.threads }),
    extra: { session: { intra_op: { allow_spinning: "0" } } }, // who waits leaves the processor to decoding
    logSeverityLevel: 4, // what fails is thrown, and need not be printed too
  };
  let session: ort.InferenceSession;
  try {
    session =
      external.length > 0 && options.path !== undefined
        ? await ort.InferenceSession.create(options.path, settings)
        : await ort.InferenceSession.create(model, settings);
  } catch (cause) {
    const what = `the ONNX model cannot be loaded: ${runtimeMessage(cause)}`;
    throw new DeviceError(what, undefined, { cause });
  }
  return {
    inputs: session.inputMetadata.map(valueOf),
    outputs: session.outputMetadata.map(valueOf),
    metadata: metadataOf(parsed),
    external,
    async run(inputs, wanted) {
      const feeds = Object.fromEntries(
        Object.entries(inputs).map(([name, array]) => [name, toTensor(array)]),
      );
      const running = wanted === undefined ? session.run(feeds) : session.run(feeds, wanted);
      const results = await running.catch((cause: unknown) => {
        throw new DeviceError(runtimeMessage(cause), undefined, { cause });
      });
      return Object.fromEntries(
        Object.entries(results).map(([name, tensor]) => [name, arrayOf(name, tensor)]),
      );
    },
    dispose: () => session.release(),
  };
}
