import { fromBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema } from "onnx-buf";
import * as ort from "onnxruntime-node";

import { type DataOf, type HostArray, hostArray } from "../core/arrays.ts";
import { DataError, DeviceError } from "../core/errors.ts";
import { checkDevice } from "./device.ts";
import { toTensor } from "./program.ts";

/** An input or output of a model: sizes are numbers where the model fixes them, else their names. */
export type OnnxValue = {
  readonly name: string;
  readonly type: string; // as float32
  readonly shape: readonly (number | string)[];
};

/** An ONNX model of any origin, loaded. */
export type OnnxModel = {
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  /** Texts that the model's maker left in it. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Outputs by name; those of `wanted` only where it is given. */
  run(
    inputs: Record<string, HostArray>,
    wanted?: readonly string[],
  ): Promise<Record<string, HostArray>>;
  dispose(): Promise<void>;
};

function metadataOf(model: Uint8Array): Record<string, string> {
  try {
    const { metadataProps } = fromBinary(ModelProtoSchema, model);
    return Object.fromEntries(metadataProps.map(({ key, value }) => [key, value]));
  } catch (cause) {
    const message = "it is no ONNX model, or it is cut short";
    throw new DataError(message, "write or download it again", { cause });
  }
}

function valueOf(value: ort.InferenceSession.ValueMetadata): OnnxValue {
  return value.isTensor
    ? { name: value.name, type: value.type, shape: value.shape }
    : { name: value.name, type: "not a tensor", shape: [] };
}

/** Where a model runs. */
export type OnnxOptions = { device?: string | undefined; threads?: number | undefined };

/** Loads an ONNX model with ONNX Runtime, as another program would. */
export async function openOnnx(model: Uint8Array, options: OnnxOptions = {}): Promise<OnnxModel> {
  const metadata = metadataOf(model);
  const device = checkDevice(options.device ?? "cpu");
  let session: ort.InferenceSession;
  try {
    session = await ort.InferenceSession.create(model, {
      executionProviders: ["cpu", "reference"].includes(device) ? ["cpu"] : [device, "cpu"],
      ...(options.threads === undefined ? {} : { intraOpNumThreads: options.threads }),
      logSeverityLevel: 3,
    });
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new DeviceError(`the ONNX model cannot be loaded: ${message}`, undefined, { cause });
  }
  return {
    inputs: session.inputMetadata.map(valueOf),
    outputs: session.outputMetadata.map(valueOf),
    metadata,
    async run(inputs, wanted) {
      const feeds = Object.fromEntries(
        Object.entries(inputs).map(([name, array]) => [name, toTensor(array)]),
      );
      const results = await (wanted === undefined
        ? session.run(feeds)
        : session.run(feeds, wanted));
      return Object.fromEntries(
        Object.entries(results).map(([name, { dims, data }]) => [
          name,
          hostArray("float32", dims, data as DataOf<"float32">),
        ]),
      );
    },
    dispose: () => session.release(),
  };
}
