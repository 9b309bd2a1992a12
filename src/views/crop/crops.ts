import { contrastive } from "./contrastiveCrop.ts";
import { centre, random } from "./crop.ts";
import type { CropPolicy } from "./crop.ts";

/** Crop policies by the name a config gives them. */
export const crops: Record<"random" | "centre" | "contrastive", CropPolicy> = {
  random,
  centre,
  contrastive,
};
