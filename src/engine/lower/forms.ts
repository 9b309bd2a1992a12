import type { Forms } from "./context.ts";
import { plainPadded } from "./movement.ts";
import { densePoly, plainFeature } from "./poly.ts";
import { plainRanked } from "./ranking.ts";
import { plainWindows } from "./window.ts";

/** How values that wait are computed as plain arrays. */
export const forms: Forms = {
  poly: (ctx, value) => plainFeature(ctx, densePoly(ctx, value)),
  windows: plainWindows,
  ranked: plainRanked,
  padded: plainPadded,
};
