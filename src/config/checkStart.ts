import { isDeepStrictEqual } from "node:util";

import { ConfigError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";
import type { ViewOptions } from "../views/index.ts";
import type { ConfigTree } from "./schema.ts";
import type { Start } from "./start.ts";

/** Refuses settings of a start where there is none, and beside one what it decides, unless it is the same. */
export function checkStart(tree: ConfigTree, start: Pick<Start, "description"> | undefined): void {
  if (start === undefined && tree.from !== undefined) {
    throw new ConfigError("from: the pretrained encoder was not opened", "leave it out here");
  }
  const odd = ["freeze", "adapter", "keptViews", "wholeImages"].find(
    (key) => tree[key] !== undefined,
  );
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
  const behind = ["adapter", "keptViews", "wholeImages"].find((key) => tree[key] !== undefined);
  if (tree.freeze === "none" && behind !== undefined) {
    throw new ConfigError(`${behind}: belongs to a frozen body`, "leave it out, or --freeze body");
  }
  if (tree.freeze !== "none" && start?.description.adapter !== undefined) {
    throw new ConfigError(
      `from: ${quoted(tree.from)} has an adapter already, expected an encoder without one`,
      "--freeze none trains both; or give the start.safetensors of its run",
    );
  }
}
