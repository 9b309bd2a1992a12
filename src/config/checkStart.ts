import { isDeepStrictEqual } from "node:util";

import { ConfigError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";
import type { ViewOptions } from "../views/index.ts";
import type { ConfigTree } from "./schema.ts";
import type { Start } from "./start.ts";

/** Settings of what is trained behind a frozen body, and of a body that is trained. */
const ofFrozen = ["adapter", "keptViews", "wholeImages"];
const ofTrained = ["backboneLrFactor", "layerDecay", "headFirst", "batchNorm"];

/** Whether a pretrained encoder stays as it is, and an adapter is trained behind it. */
export const isBodyFrozen = ({ freeze = "body" }: ConfigTree): boolean => freeze === "body";

/** Refuses settings of a start where there is none, and beside one what it decides, unless it is the same. */
export function checkStart(tree: ConfigTree, start: Pick<Start, "description"> | undefined): void {
  if (start === undefined && tree.from !== undefined) {
    throw new ConfigError("from: the pretrained encoder was not opened", "leave it out here");
  }
  const odd = ["freeze", ...ofFrozen, ...ofTrained].find((key) => tree[key] !== undefined);
  if (start === undefined && odd !== undefined) {
    throw new ConfigError(`${odd}: there is no pretrained encoder`, "--from names one");
  }
  if (start !== undefined) {
    const { encoder, mean, std } = start.description;
    const views = (tree.views ?? {}) as ViewOptions;
    const pairs = {
      encoder: [tree.encoder, encoder],
      "views.mean": [views.mean, mean],
      "views.std": [views.std, std],
    };
    for (const [path, [given, own]] of Object.entries(pairs)) {
      if (given === undefined || isDeepStrictEqual(given, own)) continue;
      throw new ConfigError(`${path}: --from gives it already`, "leave one of them out");
    }
  }
  if (start !== undefined) checkFreezing(tree, start);
}

function checkFreezing(tree: ConfigTree, start: Pick<Start, "description">): void {
  const isFrozen = isBodyFrozen(tree);
  const wrong = (isFrozen ? ofTrained : ofFrozen).find((key) => tree[key] !== undefined);
  if (wrong !== undefined) {
    throw isFrozen
      ? new ConfigError(
          `${wrong}: belongs to a body that is trained`,
          "--freeze all-but:2 trains its last two blocks, --freeze none all of it",
        )
      : new ConfigError(`${wrong}: belongs to a frozen body`, "leave it out, or --freeze body");
  }
  if (isFrozen && start.description.adapter !== undefined) {
    throw new ConfigError(
      `from: ${quoted(tree.from)} has an adapter already, expected an encoder without one`,
      "--freeze none trains both; or give the start.safetensors of its run",
    );
  }
}
