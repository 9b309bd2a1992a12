import { lax, type numpy as np } from "@jax-js/jax";
import type { z } from "zod";

import { parseOptions } from "../core/options.ts";
import type { Pairs } from "../core/pairs.ts";
import { checkShapes } from "../core/shape.ts";
import type { ArrayRecord } from "../core/trees.ts";

/** What a loss file declares: its description, its options and its formula. */
export type LossDefinition<O extends z.ZodObject> = {
  name: string;
  summary: string;
  source: string;
  options: O;
  perAnchor: (similarity: np.Array, pairs: Pairs, options: z.output<O>) => np.Array;
  /** Scalars that `measure` reports, with what they mean and their unit or range. */
  metrics?: Readonly<Record<string, string>>;
  /** What is worth watching beside the loss, as the share of clamped anchors. Without gradient. Consumes. */
  measure?: (similarity: np.Array, pairs: Pairs, options: z.output<O>) => ArrayRecord;
  /**
   * Temperature of the softmax by which negatives share the force on an anchor, where it is not the option
   * `temperature`.
   */
  negativeTemperature?: (options: z.output<O>) => number;
};

/**
 * What holds for every loss.
 *
 * - `similarity` [N, M], higher is closer; `pairs` are weights of the same shape.
 * - The result is [N], one finite number per anchor in nats; 0 for an anchor without positives.
 * - Consumes `similarity` and `pairs`. Pure; may be traced and differentiated.
 * - Throws `ShapeError` where shapes do not fit and `ConfigError` where an option is out of range.
 */
export type Loss<O extends z.ZodObject = z.ZodObject> = {
  (similarity: np.Array, pairs: Pairs, options?: z.input<O>): np.Array;
  readonly kind: "loss";
  readonly name: string;
  readonly summary: string;
  readonly source: string;
  readonly options: O;
  readonly metrics: Readonly<Record<string, string>>;
  /** Scalars [] by the names of `metrics`; consumes its arguments. */
  measure(similarity: np.Array, pairs: Pairs, options?: z.input<O>): ArrayRecord;
  /** Temperature of the softmax by which negatives share the force on an anchor; 1 where a loss has none. */
  negativeTemperature(options?: z.input<O>): number;
};

/** Makes a loss of its definition: the formula behind checks of shapes and options. */
export function defineLoss<O extends z.ZodObject>(definition: LossDefinition<O>): Loss<O> {
  const { name, summary, source, options: schema, perAnchor } = definition;
  function loss(similarity: np.Array, pairs: Pairs, options?: z.input<O>): np.Array {
    checkShapes(name, {
      similarity: [similarity, "N M"],
      positive: [pairs.positive, "N M"],
      negative: [pairs.negative, "N M"],
    });
    return perAnchor(similarity, pairs, parseOptions(name, schema, options ?? {}));
  }
  Object.defineProperty(loss, "name", { value: name });
  const { metrics = {}, measure, negativeTemperature } = definition;
  return Object.assign(loss, {
    kind: "loss" as const,
    summary,
    source,
    options: schema,
    metrics,
    measure: (similarity: np.Array, pairs: Pairs, options?: z.input<O>): ArrayRecord =>
      measure?.(lax.stopGradient(similarity), pairs, parseOptions(name, schema, options ?? {})) ??
      {},
    negativeTemperature: (options?: z.input<O>): number => {
      const parsed = parseOptions(name, schema, options ?? {});
      const { temperature } = parsed as { temperature?: unknown };
      return negativeTemperature?.(parsed) ?? (typeof temperature === "number" ? temperature : 1);
    },
  });
}
