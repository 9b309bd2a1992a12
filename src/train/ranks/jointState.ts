import { createHash } from "node:crypto";

import { flattenTree, hostArray, mapTree, zeros } from "../../core/arrays.ts";
import { asHostTree, type HostState } from "../../frameworks/index.ts";
import type { Ranks } from "../../ranks/index.ts";

/** Arrays of a state in an order that does not depend on how it was made. */
const arraysOf = (state: HostState) =>
  flattenTree(asHostTree(state)).sort(([a], [b]) => (a < b ? -1 : 1));

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);

/** Gives the state of rank 0 to the others. */
export async function sendState(ranks: Ranks, state: HostState): Promise<void> {
  const arrays = arraysOf(state);
  const all = new Uint8Array(arrays.reduce((sum, [, { data }]) => sum + data.byteLength, 0));
  let at = 0;
  for (const [, { data }] of arrays) {
    all.set(bytesOf(data), at);
    at += data.byteLength;
  }
  await ranks.broadcast(all);
}

/** Takes the state of rank 0, of the structure of `template`. */
export async function receiveState(ranks: Ranks, template: HostState): Promise<HostState> {
  const all = await ranks.broadcast();
  const places = new Map<string, number>();
  let end = 0;
  for (const [path, { data }] of arraysOf(template)) {
    places.set(path, end);
    end += data.byteLength;
  }
  return mapTree(asHostTree(template), ({ dtype, shape }, path) => {
    const array = zeros(shape, dtype);
    const at = places.get(path)!;
    bytesOf(array.data).set(all.subarray(at, at + array.data.byteLength));
    return hostArray(dtype, shape, array.data);
  }) as HostState;
}

/** What tells states apart. */
export function digestOf(state: HostState): string {
  const hash = createHash("sha256");
  for (const [path, { data }] of arraysOf(state)) hash.update(path).update(bytesOf(data));
  return hash.digest("hex");
}
