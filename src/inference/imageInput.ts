import { DataError } from "../core/errors.ts";
import type { OnnxLayout } from "../encoders/index.ts";
import type { OnnxValue } from "../engine/index.ts";

/** Type and sizes of an input or output, for messages: `float32 [N, 3, 64, 64]`. */
export const shownValue = ({ type, shape }: Pick<OnnxValue, "type" | "shape">): string =>
  `${type} [${shape.join(", ")}]`;

/**
 * The input of a model that takes images, and how they lie in it. Throws `DataError`, which begins with `where`, for
 * one that takes something else.
 */
export function imageInput(
  where: string,
  { inputs }: { readonly inputs: readonly OnnxValue[] },
): { input: OnnxValue; layout: OnnxLayout } {
  const fail = (what: string) =>
    new DataError(
      `${where} ${what}, expected one input of float32 [N, 3, S, S] or [N, S, S, 3]`,
      "give a model that takes images",
    );
  if (inputs.length !== 1) throw fail(`has ${inputs.length} inputs`);
  const [input] = inputs;
  if (input.type !== "float32" || input.shape.length !== 4)
    throw fail(`takes ${shownValue(input)}`);
  if (input.shape[1] === 3) return { input, layout: "planes" };
  if (input.shape[3] === 3) return { input, layout: "pixels" };
  if (typeof input.shape[1] === "string") return { input, layout: "planes" };
  throw fail(`takes ${shownValue(input)}`);
}
