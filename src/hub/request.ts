import { DataError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";
import { type HubId, hubEndpoint, placesOf } from "./place.ts";

/** What a hub says of a file, and the file itself or a part of it. */
export type Answer = {
  readonly commit: string | undefined;
  readonly tag: string; // names its contents
  readonly sha256: string | undefined;
  readonly size: number | undefined; // bytes, of the whole file
  readonly start: number; // byte that the body begins at
  readonly body: ReadableStream<Uint8Array> | null;
};

/** The network cannot be reached, or broke off: worth another try. */
export class NetworkError extends Error {}

const HOPS = 5;

/** Seconds without a byte after which a connection counts as cut. */
export function patience(): number {
  const stated = Number(process.env["HF_HUB_DOWNLOAD_TIMEOUT"]);
  return stated > 0 ? stated : 10;
}

/** The token goes to the hub's own host alone, never to a host that it sends us to. */
function headersFor(url: URL, own: URL, start: number): Record<string, string> {
  const token = process.env["HF_TOKEN"] ?? "";
  return {
    "user-agent": "contrapose",
    "accept-encoding": "identity",
    ...(token !== "" && url.origin === own.origin && { authorization: `Bearer ${token}` }),
    ...(start > 0 && { range: `bytes=${start}-` }),
  };
}

async function ask(url: URL, own: URL, start: number, signal: AbortSignal | undefined) {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), 1000 * patience());
  try {
    return await fetch(url, {
      redirect: "manual",
      headers: headersFor(url, own, start),
      signal: AbortSignal.any([late.signal, ...(signal === undefined ? [] : [signal])]),
    });
  } catch (cause) {
    signal?.throwIfAborted();
    const code = cause instanceof Error ? causeOf(cause) : "";
    const why = late.signal.aborted ? `no answer in ${patience()} seconds` : code;
    throw new NetworkError(`${url.host} cannot be reached (${why})`, { cause });
  } finally {
    clearTimeout(timer);
  }
}

const causeOf = ({ cause, message }: Error): string =>
  cause instanceof Error && "code" in cause ? String(cause.code) : message;

const clean = (tag: string | null): string | undefined =>
  tag === null ? undefined : tag.replace(/^W\//, "").replaceAll('"', "");

const whole = (text: string | null | undefined): number | undefined =>
  text !== null && text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;

function refusal({ id, revision }: HubId, path: string, response: Response): Error {
  const { status } = response;
  const page = `${hubEndpoint()}/${id}`;
  if (status === 401 || status === 403) {
    const given = (process.env["HF_TOKEN"] ?? "") !== "";
    return new DataError(
      `${id}: ${new URL(page).host} does not give ${path} ${given ? "to this token" : "without a token"} (${status}): it is private, gated or does not exist`,
      `check the name, accept its terms at ${page} and set HF_TOKEN`,
    );
  }
  if (status === 404) {
    const code = response.headers.get("x-error-code") ?? "";
    const what = code === "RevisionNotFound" ? `has no revision ${revision}` : "is not there";
    return new DataError(`${id} ${what} (404 from ${new URL(page).host})`, "check the name");
  }
  return new NetworkError(`${new URL(page).host} answered ${status}`);
}

/** What the answers on the way have said so far. */
type Said = { commit: string; tag: string; sha256: string; size: number };

/** What has been said with what these headers add: the first word counts, and tags only from the hub itself. */
function heard(said: Said, headers: Headers, fromHub: boolean): Said {
  const linked = clean(headers.get("x-linked-etag")) ?? "";
  const own = fromHub ? (clean(headers.get("etag")) ?? "") : "";
  return {
    commit: said.commit || (headers.get("x-repo-commit") ?? ""),
    tag: said.tag || linked || own,
    sha256: said.sha256 || (/^[0-9a-f]{64}$/.test(linked) ? linked : ""),
    size: said.size || (whole(headers.get("x-linked-size")) ?? 0),
  };
}

function answerFrom({ status, headers, body }: Response, said: Said, start: number): Answer {
  const from = status === 206 ? start : 0;
  const length = whole(headers.get("content-length"));
  const total = whole(/\/(\d+)$/.exec(headers.get("content-range") ?? "")?.[1]);
  const measured = total ?? (length === undefined ? undefined : from + length);
  return {
    commit: said.commit || undefined,
    tag: said.tag || (clean(headers.get("etag")) ?? ""),
    sha256: said.sha256 || undefined,
    size: said.size || measured,
    start: from,
    body,
  };
}

/** Follows the hub from address to address to the last answer. */
async function follow(at: HubId, own: URL, start: number, signal: AbortSignal | undefined) {
  let [url, said] = [own, { commit: "", tag: "", sha256: "", size: 0 }];
  for (let hop = 0; hop <= HOPS; hop++) {
    const response = await ask(url, own, start, signal);
    said = heard(said, response.headers, hop === 0);
    const location = response.headers.get("location");
    const moved = response.status >= 300 && response.status < 400 && location !== null;
    if (!moved) return { response, said };
    await response.body?.cancel();
    url = new URL(location, url);
  }
  throw new DataError(`${at.id}: ${own.host} sends from one address to the next without end`);
}

/**
 * Asks a hub for a file from byte `start` on; "absent" where the repository has no such file and `optional`.
 * Throws `DataError` for a refusal and `NetworkError` for what may pass.
 */
export async function requestFile(
  at: HubId,
  path: string,
  {
    start,
    optional,
    signal,
  }: { start: number; optional: boolean; signal?: AbortSignal | undefined },
): Promise<Answer | "absent"> {
  const revision = encodeURIComponent(at.revision);
  const own = new URL(`${hubEndpoint()}/${at.id}/resolve/${revision}/${path}`);
  const { response, said } = await follow(at, own, start, signal);
  if (response.status === 200 || response.status === 206) return answerFrom(response, said, start);
  await response.body?.cancel();
  const noRepository = response.headers.get("x-error-code") === "RepoNotFound";
  if (optional && response.status === 404 && !noRepository) return "absent";
  throw refusal(at, path, response);
}

/** One sentence where a file is neither in the cache nor to be had, with where it belongs. */
export function unreachable(at: HubId, path: string, why: string): DataError {
  const { snapshot } = placesOf(at);
  return new DataError(
    `${at.id}: ${path} is not in the cache, and ${why}`,
    `put the files of the repository into ${quoted(snapshot(at.revision))}, or give a folder of them`,
  );
}
