import type { DType } from "../../core/arrays.ts";

/** Type and shape of every array a step takes beside the state. */
export type BatchSpec = Readonly<Record<string, { dtype: DType; shape: readonly number[] }>>;
