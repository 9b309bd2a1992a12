import { createHash } from "node:crypto";

import { flattenTree, type HostTree } from "../core/arrays.ts";
import { VERSION } from "../core/version.ts";

/** Hash of everything that decides an encoder's vectors: its arrays, its input, the code. */
export function hashOfWeights(weights: HostTree, facts: unknown): string {
  const hash = createHash("sha256").update(JSON.stringify([facts, VERSION]));
  for (const [path, { data }] of flattenTree(weights)) {
    hash.update(path).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest("hex");
}
