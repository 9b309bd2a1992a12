import { mapTree } from "../../core/arrays.ts";
import type { HostModel } from "./state.ts";

/** The same values in arrays of their own. */
export function copyModel(model: HostModel): HostModel {
  const copy = mapTree(model, (array) => ({ ...array, data: array.data.slice() }));
  return copy as unknown as HostModel;
}
