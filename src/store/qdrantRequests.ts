import { z } from "zod";

import { ConfigError, ContraposeError, StoreError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";

/** Where a Qdrant server is, and under which name it keeps the vectors. */
export type QdrantPlace = {
  readonly url: string; // as http://localhost:6333
  readonly collection: string;
  readonly apiKey?: string | undefined;
  readonly seconds?: number | undefined; // that a request may take (30)
};

/** Sends a request to a path and gives what the reply holds under `result`, of the form that is expected. */
export type Ask = <T>(
  method: "GET" | "PUT" | "POST" | "DELETE",
  path: string,
  form: z.ZodType<T>,
  body?: unknown,
) => Promise<T>;

/** What is asked for is not there. */
export class NotThere extends StoreError {}

const SECONDS = 30;
const REPLY = 2 ** 24; // bytes

type Address = {
  readonly url: URL; // without user and password
  readonly shown: string; // without anything that is secret
  readonly headers: Record<string, string>;
  readonly secrets: readonly string[];
};

const decoded = (text: string) => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // not encoded
  }
};

/** The address of a server as it may be printed: without user, password, and what stands behind `?`. */
export function shownAddress(address: string): string {
  if (!URL.canParse(address)) return "the address";
  const { protocol, host, pathname } = new URL(address);
  return `${protocol}//${host}${pathname.replace(/\/+$/, "")}`;
}

function addressOf({ url: address, apiKey }: QdrantPlace): Address {
  if (!/^https?:/i.test(address) || !URL.canParse(address)) {
    throw new ConfigError("--url is no address of a server", "as in --url http://localhost:6333");
  }
  const url = new URL(address);
  if (apiKey !== undefined && !/^[\x20-\x7e]+$/.test(apiKey)) {
    throw new ConfigError("QDRANT_API_KEY is no key: it is empty, or has characters beyond ASCII");
  }
  const { username, password } = url;
  const basic = Buffer.from(`${decoded(username)}:${decoded(password)}`).toString("base64");
  const authorization: Record<string, string> =
    username + password === "" ? {} : { authorization: `Basic ${basic}` };
  const key: Record<string, string> = apiKey === undefined ? {} : { "api-key": apiKey };
  const headers = { "content-type": "application/json", ...authorization, ...key };
  const secret = [apiKey ?? "", password, decoded(password), basic, ...url.searchParams.values()];
  const secrets = secret.filter((text) => text !== "").sort((a, b) => b.length - a.length);
  [url.username, url.password] = ["", ""];
  return { url, shown: shownAddress(address), headers, secrets };
}

const inJson = (text: string) => JSON.stringify(text).slice(1, -1);
const redacted = (text: string, secrets: readonly string[]) =>
  secrets.reduce(
    (left, secret) => left.replaceAll(secret, "…").replaceAll(inJson(secret), "…"),
    text,
  );

async function textOf(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    parts.push(part);
    bytes += part.length;
    if (bytes > REPLY) throw new StoreError(`more than ${REPLY} bytes`);
  }
  return Buffer.concat(parts).toString();
}

const Failure = z.object({ status: z.object({ error: z.string() }) });
const Reply = z.object({ result: z.unknown() });

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Where a value differs from a form, in words. */
function difference({ issues: [{ path, message }] }: z.ZodError): string {
  return path.length === 0 ? message : `${path.join(".")}: ${message}`;
}

/**
 * Requests to a server. They follow no redirect, end after a time or with `signal`, and read replies up to
 * 16 MiB. Errors are `StoreError` and hold nothing that is secret.
 */
export function requestsTo(place: QdrantPlace, signal?: AbortSignal): Ask {
  const { url, shown, headers, secrets } = addressOf(place);
  const limit = 1000 * (place.seconds ?? SECONDS);
  const said = (text: string) => quoted(redacted(text, secrets));

  const answered = async (method: string, target: URL, body: unknown) => {
    const ends = AbortSignal.timeout(limit);
    try {
      const response = await fetch(target, {
        method,
        headers,
        redirect: "manual", // which would carry the key elsewhere
        signal: signal === undefined ? ends : AbortSignal.any([ends, signal]),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: response.status, ok: response.ok, text: await textOf(response) };
    } catch (cause) {
      if (signal?.aborted === true)
        throw new ContraposeError("qdrant: interrupted", undefined, { cause });
      if (cause instanceof StoreError) {
        throw new StoreError(`qdrant: ${shown} answered with ${cause.message}`);
      }
      throw new StoreError(
        `qdrant: no answer from ${shown}${ends.aborted ? ` within ${limit / 1000} s` : ""}`,
        "start the server, or give another --url",
        { cause },
      );
    }
  };

  return async (method, path, form, body) => {
    const target = new URL(url);
    const [names, asked] = path.split("?");
    target.pathname = `${url.pathname.replace(/\/+$/, "")}${names}`;
    for (const [name, value] of new URLSearchParams(asked)) target.searchParams.set(name, value);
    const where = `qdrant: ${method} ${shown}${path}`;
    const { status, ok, text } = await answered(method, target, body);
    if (status === 404) throw new NotThere(`${where}: not found`);
    if (status >= 300 && status < 400) {
      throw new StoreError(
        `${where} was answered with a redirect to another address, which is not followed`,
        "give the address of the server itself with --url",
      );
    }
    const value = parsed(text);
    if (!ok) {
      const { data } = Failure.safeParse(value);
      const reason = data === undefined ? "no reason given" : said(data.status.error);
      throw new StoreError(`${where} failed with status ${status}: ${reason}`);
    }
    const reply = Reply.safeParse(value);
    const result = form.safeParse(reply.data?.result);
    if (result.success) return result.data;
    const wrong = value === undefined ? "it is no JSON" : difference(result.error);
    throw new StoreError(
      `${where} was answered with ${said(text)}: ${wrong}`,
      "is there a Qdrant server at this --url?",
    );
  };
}
