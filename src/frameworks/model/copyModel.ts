import { mapTree } from "../../core/arrays.ts";
import type { HostModel } from "./state.ts";

/** The same values in arrays of their own. */
export const copyModel = (model: HostModel): HostModel =>
  mapTree(model, (array) => ({ ...array, data: array.data.slice() }));
