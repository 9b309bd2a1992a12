import { ConfigError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";
import { suggest } from "../core/suggest.ts";
import { shareable } from "./policy.ts";
import type { ViewOverride } from "./policy.ts";

type Augmentation = (typeof shareable)[number];

function checked(names: readonly string[]): Augmentation[] {
  return names.map((name, i) => {
    if (!(shareable as readonly string[]).includes(name)) {
      const near = suggest(name, shareable);
      throw new ConfigError(
        `loocViews: ${quoted(name)} is none of ${shareable.join(", ")}${near === undefined ? "" : `, did you mean ${near}?`}`,
      );
    }
    if (names.indexOf(name) < i) {
      throw new ConfigError(`loocViews: ${quoted(name)} is named twice, expected once`);
    }
    return name as Augmentation;
  });
}

/**
 * What the views of LooC do differently, for n augmentations n + 2 views of each image: the query, a key
 * that shares nothing with it, and for each augmentation a key with the query's parameters of it, the
 * question whether it is applied included. All else is drawn anew for every view.
 *
 * Where rotation is one of them, every view is turned by 90, 180 or 270 degrees. Xiao et al. 2021,
 * arXiv 2008.05659.
 */
export function loocViews(augmentations: readonly string[]): ViewOverride[] {
  const names = checked(augmentations);
  const all: ViewOverride = names.includes("rotation") ? { rotation: { rightAngles: 1 } } : {};
  const keys = names.map((name): ViewOverride => ({
    ...all,
    share: { from: 0, transforms: [name] },
  }));
  return [{ ...all }, { ...all }, ...keys];
}
