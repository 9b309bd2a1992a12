import { availableParallelism } from "node:os";

import * as ort from "onnxruntime-node";

import { DeviceError } from "../core/errors.ts";
import { suggest } from "../core/suggest.ts";
import { GraphBuilder } from "./onnx.ts";
import { runtimeMessage } from "./runtimeMessage.ts";

/**
 * Where programs run. `reference` is jax-js itself: slow, exact, float64 as well. The others are
 * execution providers of ONNX Runtime: which of them are there depends on what is installed.
 */
export type Device = "reference" | "cpu" | "webgpu" | "cuda" | "coreml" | "dml";

const known: readonly Device[] = ["reference", "cpu", "webgpu", "cuda", "coreml", "dml"];

/** The devices that this installation offers, the default first. */
export function availableDevices(): Device[] {
  const offered = ort.listSupportedBackends().map(({ name }) => name);
  const here = known.filter((device) => offered.includes(device));
  return [...new Set<Device>(["cpu", ...here, "reference"])];
}

/** Checks a device's name. Throws `DeviceError` where it is unknown or not offered here. */
export function checkDevice(name: string): Device {
  const here = availableDevices();
  const device = here.find((candidate) => candidate === name);
  if (device !== undefined) return device;
  const near = suggest(name, known);
  const why = known.includes(name as Device) ? "is not available here" : "is unknown";
  throw new DeviceError(
    `device "${name}" ${why}, expected one of ${here.join(", ")}`,
    near !== undefined && near !== name ? `did you mean ${near}?` : undefined,
  );
}

/** Threads that a program uses unless told otherwise: one for each core. */
export function defaultThreads(): number {
  return availableParallelism();
}

/** What a session needs to know besides the model. */
export type SessionOptions = { device: Device; threads: number };

/** Loads a model into ONNX Runtime. */
export async function openSession(
  model: Uint8Array,
  { device, threads }: SessionOptions,
): Promise<ort.InferenceSession> {
  try {
    return await ort.InferenceSession.create(model, {
      executionProviders: device === "cpu" ? ["cpu"] : [device, "cpu"],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: "sequential",
      // the lowering has chosen every operation; ONNX Runtime's rewriting would undo some of it
      graphOptimizationLevel: device === "cpu" ? "disabled" : "basic",
      logSeverityLevel: 3,
      // threads that wait asleep, and work cut into small pieces: a step beside other work (making
      // views is such) takes two thirds of the time, a step alone a few percent more
      extra: { session: { dynamic_block_base: "4", intra_op: { allow_spinning: "0" } } },
    });
  } catch (cause) {
    const why = runtimeMessage(cause);
    throw new DeviceError(`device "${device}" could not load the program: ${why}`, undefined, {
      cause,
    });
  }
}

const PROBED_CHANNELS = 64;

async function measureBlock(): Promise<number> {
  const graph = new GraphBuilder();
  graph.input("x", "float32", [1, PROBED_CHANNELS, 1, 2]);
  const blocked = graph.emit("ReorderInput", ["x"], {}, "com.microsoft.nchwc");
  graph.output("y", blocked, "float32", [1, PROBED_CHANNELS, 1, 2]);
  const session = await ort.InferenceSession.create(graph.toBytes("probe"), {
    graphOptimizationLevel: "disabled",
    logSeverityLevel: 4,
  });
  const x = Float32Array.from({ length: 2 * PROBED_CHANNELS }, (_, i) => i);
  const { y } = await session.run({ x: new ort.Tensor("float32", x, [1, PROBED_CHANNELS, 1, 2]) });
  await session.release();
  // element (channel 0, position 1) is 1; it stands behind the first block of channels at position 0
  const block = (y.data as Float32Array).indexOf(1);
  return block > 1 && PROBED_CHANNELS % block === 0 ? block : 0;
}

let probed: Promise<number> | undefined;

/** Channels in a block of the CPU's fast layout: 16 with AVX-512, 8 with AVX2, 0 where there is none. */
export function blockSize(): Promise<number> {
  probed ??= measureBlock().catch(() => 0);
  return probed;
}
