import type { Forms } from "./context.ts";
import { densePoly, plainFeature } from "./poly.ts";
import { plainWindows } from "./window.ts";

/** How values that wait are computed as plain arrays. */
export const forms: Forms = {
  poly: (ctx, value) => plainFeature(ctx, densePoly(ctx, value)),
  windows: plainWindows,
};
