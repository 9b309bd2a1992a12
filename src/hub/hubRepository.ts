import { existsSync } from "node:fs";
import { join } from "node:path";

import { DataError } from "../core/errors.ts";
import { isShardIndex, shardFiles } from "../files/index.ts";
import { download, type DownloadCalls, noteAbsent } from "./download.ts";
import { type HubId, isOffline, knownCommit, placesOf } from "./place.ts";
import { unreachable } from "./request.ts";

/** A file in the cache; null where it is known that the repository has none. */
function cached(at: HubId, path: string): string | null | undefined {
  const commit = knownCommit(at);
  if (commit === undefined) return undefined;
  const { snapshot, absent } = placesOf(at);
  const parts = path.split("/");
  const place = join(snapshot(commit), ...parts);
  if (existsSync(place)) return place;
  return existsSync(join(absent(commit), ...parts)) ? null : undefined;
}

/** The path of a file of a repository, from the cache or the network; undefined where there is none and `optional`. */
async function hubFile(
  at: HubId,
  path: string,
  calls: DownloadCalls & { readonly optional: boolean },
): Promise<string | undefined> {
  const known = cached(at, path);
  if (known === null && calls.optional) return undefined;
  if (typeof known === "string") return known;
  if (isOffline()) throw unreachable(at, path, "HF_HUB_OFFLINE forbids to fetch it");
  const found = await download(at, path, calls);
  const commit = knownCommit(at);
  if (found === undefined && commit !== undefined) await noteAbsent(at, commit, path);
  return found;
}

const weightNames = ["model.safetensors", "model.safetensors.index.json", "onnx/model.onnx"];

/** Files that hold the weights which a file of `weightNames` names: none beside itself unless it is an index. */
const partsOf = async (path: string, place: string): Promise<string[]> =>
  isShardIndex(path) ? shardFiles(place) : [];

/** The first file of weights in the cache that is there with all its parts. */
async function weightsIn(at: HubId): Promise<string | undefined> {
  for (const path of weightNames) {
    const place = cached(at, path);
    if (typeof place !== "string") continue;
    const parts = await partsOf(path, place);
    if (parts.every((part) => typeof cached(at, part) === "string")) return path;
  }
  return undefined;
}

/**
 * The folder of an encoder's repository, its files fetched where the cache that Python's programs share does
 * not hold them yet: `config.json`, `preprocessor_config.json`, and `model.safetensors`, the parts that
 * `model.safetensors.index.json` names, or else `onnx/model.onnx`. Where weights are there, the network is not asked for anything else.
 */
export async function hubRepository(at: HubId, calls: DownloadCalls = {}): Promise<string> {
  if ((await weightsIn(at)) === undefined) {
    await hubFile(at, "config.json", { ...calls, optional: false });
    await hubFile(at, "preprocessor_config.json", { ...calls, optional: true });
    for (const path of weightNames) {
      const place = await hubFile(at, path, { ...calls, optional: true });
      if (place === undefined) continue;
      for (const part of await partsOf(path, place)) {
        await hubFile(at, part, { ...calls, optional: false });
      }
      break;
    }
  }
  const commit = knownCommit(at);
  const found = await weightsIn(at);
  if (found !== undefined && commit !== undefined) return placesOf(at).snapshot(commit);
  throw new DataError(
    `${at.id} has neither ${weightNames.join(" nor ")}`,
    "weights in other formats are not read",
  );
}
