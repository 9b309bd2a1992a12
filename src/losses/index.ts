import { infoNce } from "./infoNce.ts";

export { instanceNce, instanceNormaliser, type InstanceNceOptions } from "./instanceNce.ts";
export type { Loss, LossDefinition } from "./loss.ts";
export { defineLoss } from "./loss.ts";
export { infoNce };

/** Every loss on similarities and pairs, by the name used in configs, on the command line and in the docs. */
export const losses = { infoNce };
