import { createHash } from "node:crypto";

import { flattenTree, type HostTree } from "../core/arrays.ts";
import { VERSION } from "../core/version.ts";

/** Raised whenever the same image becomes another input: vectors of before are not compared with those of after. */
const INPUT = 2;

/** Hash of everything that decides an encoder's vectors: its arrays, its input, the code. */
export function hashOfWeights(weights: HostTree, facts: unknown): string {
  const hash = createHash("sha256").update(JSON.stringify([facts, VERSION, INPUT]));
  for (const [path, { data }] of flattenTree(weights)) {
    hash.update(path).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest("hex");
}
