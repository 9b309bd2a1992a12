import { z } from "zod";

import { type HostArray, type HostRecord, zeros } from "../core/arrays.ts";
import { randomStream } from "../core/random.ts";
import type { ParameterSpec } from "../core/trees.ts";

/** How an array starts: one value, or random with mean 0. */
export type Initial =
  | { kind: "constant"; value: number }
  | { kind: "normal"; deviation: number }
  | { kind: "truncatedNormal"; deviation: number } // redrawn beyond two deviations
  | { kind: "uniform"; bound: number };

/** A parameter or statistic and how it starts. */
export type InitialSpec = ParameterSpec & { readonly initial: Initial };

/** A vector that starts at one value everywhere and does not decay. */
export const constant = (size: number, value: number): InitialSpec => ({
  shape: [size],
  decay: false,
  initial: { kind: "constant", value },
});

function sampler(initial: Initial, seed: number, name: string): () => number {
  if (initial.kind === "constant") return () => initial.value;
  const stream = randomStream(seed, "initial", name);
  if (initial.kind === "normal") return () => initial.deviation * stream.normal();
  if (initial.kind === "uniform") return () => stream.uniform(-initial.bound, initial.bound);
  return () => {
    let value = stream.normal();
    while (Math.abs(value) > 2) value = stream.normal();
    return initial.deviation * value;
  };
}

/** Draws one array. The same seed and name give the same values. */
export function initialArray(spec: InitialSpec, seed: number, name: string): HostArray<"float32"> {
  const array = zeros(spec.shape);
  const draw = sampler(spec.initial, seed, name);
  for (let i = 0; i < array.data.length; i++) array.data[i] = draw();
  return array;
}

/** Draws every array of a record of specs. */
export function initialRecord(
  specs: Readonly<Record<string, InitialSpec>>,
  seed: number,
): HostRecord {
  return Object.fromEntries(
    Object.entries(specs).map(([name, spec]) => [name, initialArray(spec, seed, name)]),
  );
}

/** Normal with variance 2 / fan-out for a kernel [O, I, kh, kw] (He et al. 2015, arXiv:1502.01852). */
export function heFanOut(shape: readonly number[]): Initial {
  const fanOut = shape[0] * shape.slice(2).reduce((product, size) => product * size, 1);
  return { kind: "normal", deviation: Math.sqrt(2 / fanOut) };
}

/** Uniform within ±1/√fan-in: how PyTorch starts a linear layer and its bias. */
export function uniformFanIn(fanIn: number): Initial {
  return { kind: "uniform", bound: 1 / Math.sqrt(fanIn) };
}

/** How the kernels of an encoder's convolutions start. */
export const Kernels = z
  .enum(["heFanOut", "uniformFanIn"])
  .default("heFanOut")
  .describe(
    'how kernels start: "heFanOut" is normal with variance 2 / fan-out, as torchvision starts its residual networks, "uniformFanIn" uniform within ±1/√fan-in, smaller, as PyTorch starts a convolution by itself',
  );
export type Kernels = z.output<typeof Kernels>;

/** The start of a kernel [O, I, kh, kw]. */
export function kernelStart(kernels: Kernels, shape: readonly number[]): Initial {
  if (kernels === "heFanOut") return heFanOut(shape);
  return uniformFanIn(shape.slice(1).reduce((product, size) => product * size, 1));
}
