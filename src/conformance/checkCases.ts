import type { numpy as np } from "@jax-js/jax";

import { ContraposeError } from "../core/errors.ts";
import { checkDevice } from "../engine/index.ts";
import { adapters } from "./adapters.ts";
import type { ConformanceCase } from "./caseFile.ts";
import { compareOutputs } from "./compareOutputs.ts";
import { createMachine, type Machine } from "./machine.ts";

/** How one case went. */
export type CaseResult = {
  readonly id: string;
  readonly method: string;
  readonly pass: boolean;
  /** Largest error over its tolerance; null where outputs could not be measured against each other. */
  readonly error: number | null;
  /** What does not agree; empty where the case passes. */
  readonly message: string;
};

/** How cases are checked. */
export type CheckOptions = {
  /** `reference` computes in float64, all others in float32; default `cpu`. */
  device?: string | undefined;
  /** Called after each case. */
  each?: ((result: CaseResult) => void) | undefined;
  signal?: AbortSignal | undefined;
};

function sentence(error: unknown): string {
  if (error instanceof ContraposeError) return error.message;
  return `failed: ${error instanceof Error ? error.message : String(error)}`;
}

/** Computes one case and compares. */
async function checkCase(given: ConformanceCase, machine: Machine): Promise<CaseResult> {
  const { id, method } = given;
  const adapter = Object.hasOwn(adapters, method) ? adapters[method] : undefined;
  if (adapter === undefined) {
    const message = `the method ${JSON.stringify(method)} is unknown, expected one of ${Object.keys(adapters).join(", ")}`;
    return { id, method, pass: false, error: null, message };
  }
  try {
    const outputs = await adapter(given, machine);
    const { error, failures } = compareOutputs(outputs, given.expect, given.tolerance);
    return { id, method, pass: failures.length === 0, error, message: failures.join("; ") };
  } catch (error) {
    return { id, method, pass: false, error: null, message: sentence(error) };
  }
}

/** Throws `DeviceError` where the device cannot run anything at all. */
async function tryOut(machine: Machine): Promise<void> {
  await machine.run((x: np.Array) => ({ x: x.add(1) }), machine.reals([0]));
}

/** Computes cases one after the other by the functions of this package and compares with what they expect. */
export async function checkCases(
  cases: readonly ConformanceCase[],
  { device = "cpu", each, signal }: CheckOptions = {},
): Promise<CaseResult[]> {
  const machine = createMachine(checkDevice(device));
  await tryOut(machine);
  const results: CaseResult[] = [];
  for (const given of cases) {
    if (signal?.aborted) break;
    const result = await checkCase(given, machine);
    results.push(result);
    each?.(result);
  }
  return results;
}
