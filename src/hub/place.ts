import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

import { ConfigError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";

/** A repository of a hub at a revision: a branch, a tag or a commit. */
export type HubId = { readonly id: string; readonly revision: string };

/** Variables that say where things are; those of the process. */
type Variables = Readonly<Record<string, string | undefined>>;

const stated = (...values: (string | undefined)[]): string | undefined =>
  values.find((value) => value !== undefined && value !== "");

/** The folder of the cache that Python's programs share. */
export function hubCache(env: Variables = process.env): string {
  const caches = stated(env["XDG_CACHE_HOME"]) ?? join(homedir(), ".cache");
  const home = stated(env["HF_HOME"]) ?? join(caches, "huggingface");
  return stated(env["HF_HUB_CACHE"], env["HUGGINGFACE_HUB_CACHE"]) ?? join(home, "hub");
}

/** Whether the network must not be touched. */
export const isOffline = (env: Variables = process.env): boolean =>
  ["1", "on", "yes", "true"].includes((env["HF_HUB_OFFLINE"] ?? "").toLowerCase());

/** Where the hub answers. */
export const hubEndpoint = (env: Variables = process.env): string =>
  (stated(env["HF_ENDPOINT"]) ?? "https://huggingface.co").replace(/\/+$/, "");

const name = "[A-Za-z0-9][A-Za-z0-9._-]*";
const idPattern = new RegExp(`^(${name}/${name})(?:@([A-Za-z0-9][A-Za-z0-9._/-]*))?$`);

/** `org/name` or `org/name@revision` as its parts; undefined for other text. */
export function hubId(text: string): HubId | undefined {
  const found = idPattern.exec(text);
  if (found === null || text.includes("..")) return undefined;
  return { id: found[1], revision: found[2] ?? "main" };
}

/** Folders of a repository in the cache. */
export function placesOf({ id, revision }: HubId) {
  const folder = join(hubCache(), `models--${id.replace("/", "--")}`);
  return {
    folder,
    blobs: join(folder, "blobs"),
    ref: join(folder, "refs", ...revision.split("/")),
    snapshot: (commit: string) => join(folder, "snapshots", commit),
    absent: (commit: string) => join(folder, ".no_exist", commit),
  };
}

const isCommit = (text: string) => /^[0-9a-f]{40}$/.test(text);

/** The commit that a revision stood for when it was last asked; files put there by hand may lie under its name. */
export function knownCommit(at: HubId): string | undefined {
  if (isCommit(at.revision)) return at.revision;
  const { ref, snapshot } = placesOf(at);
  if (existsSync(ref)) {
    const commit = readFileSync(ref, "utf8").trim();
    if (/^[\w.-]+$/.test(commit) && commit !== "..") return commit;
    throw new ConfigError(`${quoted(ref)} is damaged, expected a commit`, "remove it");
  }
  return existsSync(snapshot(at.revision)) ? at.revision : undefined;
}
