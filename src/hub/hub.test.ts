import { createHash } from "node:crypto";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { hubRepository } from "./hubRepository.ts";
import { hubId } from "./place.ts";

const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const weights = Buffer.from(Array.from({ length: 3000 }, (_, i) => i % 251));
const sha256 = createHash("sha256").update(weights).digest("hex");
const contents: Record<string, Buffer> = {
  "config.json": Buffer.from("{}"),
  "model.safetensors": weights,
};
const at = { id: "org/net", revision: "main" };

type Handler = (request: IncomingMessage, response: ServerResponse, path: string) => boolean;
const servers: Server[] = [];
let asked: string[] = [];
let folder: string;

async function listen(handle: (q: IncomingMessage, r: ServerResponse) => void): Promise<string> {
  const server = createServer(handle);
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no port");
  return `http://127.0.0.1:${address.port}`;
}

/** Bytes of a file, from where a request wants them. */
function give(request: IncomingMessage, response: ServerResponse, bytes: Buffer): void {
  const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
  if (from > 0) {
    const range = `bytes ${from}-${bytes.length - 1}/${bytes.length}`;
    response.writeHead(206, { "content-range": range, "content-length": bytes.length - from });
  } else response.writeHead(200, { "content-length": bytes.length });
  response.end(bytes.subarray(from));
}

/** A hub with the files above; `special` may answer first. */
async function openHub(special: Handler = () => false): Promise<void> {
  const endpoint = await listen((request, response) => {
    const path = (request.url ?? "").replace("/org/net/resolve/main/", "");
    asked.push(`${path} ${request.headers.range ?? ""}`.trim());
    if (special(request, response, path)) return;
    const bytes = contents[path];
    response.setHeader("x-repo-commit", COMMIT);
    if (bytes === undefined) {
      response.setHeader("x-error-code", "EntryNotFound");
      return void response.writeHead(404).end();
    }
    response.setHeader("etag", `"tag-of-${path}"`);
    if (bytes === weights) response.setHeader("x-linked-etag", `"${sha256}"`);
    give(request, response, bytes);
  });
  vi.stubEnv("HF_ENDPOINT", endpoint);
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "contrapose-hub-"));
  asked = [];
  vi.stubEnv("HF_HUB_CACHE", folder);
  vi.stubEnv("HF_TOKEN", "secret");
  vi.stubEnv("HF_HUB_OFFLINE", "");
});

afterEach(async () => {
  vi.unstubAllEnvs();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  }
  rmSync(folder, { recursive: true, force: true });
});

const place = (...parts: string[]) => join(folder, "models--org--net", ...parts);

describe("hubId", () => {
  test("takes an id with a revision, and nothing that could leave the cache", () => {
    expect(hubId("org/net")).toEqual({ id: "org/net", revision: "main" });
    expect(hubId("org/net@v1.0/x")).toEqual({ id: "org/net", revision: "v1.0/x" });
    for (const text of ["net", "a/b/c", "../net", "org/..", "org/net@../x", "/org/net"]) {
      expect(hubId(text), text).toBeUndefined();
    }
  });
});

describe("hubRepository", () => {
  test("lays files out as Python's cache does, and asks no second time", async () => {
    await openHub();
    const sizes: number[] = [];
    const found = await hubRepository(at, { progress: (_, done) => sizes.push(done) });
    expect(found).toBe(place("snapshots", COMMIT));
    expect(readFileSync(place("refs", "main"), "utf8")).toBe(COMMIT);
    expect(readFileSync(join(found, "model.safetensors"))).toEqual(weights);
    expect(lstatSync(join(found, "model.safetensors")).isSymbolicLink()).toBe(true);
    expect(readFileSync(place("blobs", sha256))).toEqual(weights);
    expect(existsSync(place(".no_exist", COMMIT, "preprocessor_config.json"))).toBe(true);
    expect(sizes.at(-1)).toBe(weights.length);
    const before = asked.length;
    expect(await hubRepository(at)).toBe(found);
    vi.stubEnv("HF_HUB_OFFLINE", "1");
    expect(await hubRepository(at)).toBe(found);
    expect(asked).toHaveLength(before);
  });

  test("fetches the parts that an index names, and asks again only for one that is gone", async () => {
    const [one, two] = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
    const index = JSON.stringify({ metadata: {}, weight_map: { a: one, b: two, c: one } });
    await openHub((request, response, path) => {
      const parts = { "model.safetensors.index.json": Buffer.from(index), [one]: weights };
      const bytes: Buffer | undefined = { ...parts, [two]: weights }[path];
      const missing = path === "model.safetensors";
      if (bytes === undefined && !missing) return false;
      response.setHeader("x-repo-commit", COMMIT);
      if (bytes === undefined) {
        response.setHeader("x-error-code", "EntryNotFound");
        response.writeHead(404).end();
      } else {
        response.setHeader("etag", `"tag-of-${path}"`);
        give(request, response, bytes);
      }
      return true;
    });
    const found = await hubRepository(at);
    for (const part of [one, two]) expect(readFileSync(join(found, part))).toEqual(weights);
    rmSync(join(found, two));
    asked = [];
    expect(await hubRepository(at)).toBe(found);
    expect(asked).toEqual([two]);
  });

  test("goes on behind what came before the connection was cut", async () => {
    let cuts = 0;
    await openHub((request, response, path) => {
      if (path !== "model.safetensors" || cuts++ > 0) return false;
      response.setHeader("x-repo-commit", COMMIT);
      response.writeHead(200, { "content-length": weights.length, "x-linked-etag": sha256 });
      response.write(weights.subarray(0, 1000), () => setTimeout(() => request.destroy(), 50));
      return true;
    });
    const found = await hubRepository(at);
    expect(readFileSync(join(found, "model.safetensors"))).toEqual(weights);
    expect(asked).toContain("model.safetensors bytes=1000-");
  });

  test("sends the token to the hub, never to the host it is sent to", async () => {
    const seen: (string | undefined)[] = [];
    const files = await listen((request, response) => {
      seen.push(request.headers.authorization);
      give(request, response, weights);
    });
    await openHub((request, response, path) => {
      if (path !== "model.safetensors") return false;
      seen.push(request.headers.authorization);
      response.setHeader("x-linked-etag", `"${sha256}"`);
      response.setHeader("x-linked-size", weights.length);
      response.writeHead(302, { location: `${files}/blob`, "x-repo-commit": COMMIT }).end();
      return true;
    });
    await hubRepository(at);
    expect(seen).toEqual(["Bearer secret", undefined]);
  });

  test("throws away what has another hash than announced", async () => {
    await openHub((request, response, path) => {
      if (path !== "model.safetensors") return false;
      response.setHeader("x-repo-commit", COMMIT);
      response.setHeader("x-linked-etag", `"${"0".repeat(64)}"`);
      give(request, response, weights);
      return true;
    });
    await expect(hubRepository(at)).rejects.toThrow(
      "org/net: model.safetensors has another SHA-256 than announced",
    );
    expect(readdirSync(place("blobs")).filter((name) => name.startsWith("000"))).toEqual([]);
  });

  test("gives up on a hub that stays silent, and keeps what has come", async () => {
    vi.stubEnv("HF_HUB_DOWNLOAD_TIMEOUT", "0.05");
    await openHub((_request, response, path) => {
      if (path !== "model.safetensors") return false;
      response.setHeader("x-repo-commit", COMMIT);
      response.writeHead(200, { "content-length": weights.length, etag: "slow" });
      response.write(weights.subarray(0, 10));
      return true;
    });
    await expect(hubRepository(at)).rejects.toThrow(
      /could not be fetched whole: nothing came for 0.05/,
    );
    expect(existsSync(place("blobs", "slow.incomplete"))).toBe(true);
    expect(readdirSync(place("blobs")).filter((name) => name.includes(".lock"))).toEqual([]);
  });

  test.each([
    [401, "does not give config.json to this token (401): it is private, gated or does not exist"],
    [404, "org/net is not there (404 from 127.0.0.1"],
  ])("says in one sentence what %i means", async (status, sentence) => {
    await openHub((_request, response) => Boolean(response.writeHead(status).end()));
    await expect(hubRepository(at)).rejects.toThrow(sentence);
  });

  test("says where files belong where there is no network", async () => {
    const endpoint = await listen(() => undefined);
    const server = servers.pop();
    server?.closeAllConnections();
    await new Promise((done) => server?.close(done));
    vi.stubEnv("HF_ENDPOINT", endpoint);
    const where = place("snapshots", "main");
    await expect(hubRepository(at)).rejects.toMatchObject({
      message: expect.stringMatching(
        /config.json is not in the cache, and 127.0.0.1:\d+ cannot be/,
      ) as string,
      hint: `put the files of the repository into ${JSON.stringify(where)}, or give a folder of them`,
    });
    vi.stubEnv("HF_HUB_OFFLINE", "1");
    await expect(hubRepository(at)).rejects.toThrow("HF_HUB_OFFLINE forbids to fetch it");
    mkdirSync(where, { recursive: true });
    writeFileSync(join(where, "model.safetensors"), weights);
    expect(await hubRepository(at)).toBe(where);
  });

  test("takes over from a process that died while it fetched", async () => {
    await openHub();
    mkdirSync(place("blobs"), { recursive: true });
    const gone = `${sha256}.lock.999999999.1@${encodeURIComponent(hostname())}`;
    writeFileSync(place("blobs", gone), "");
    writeFileSync(place("blobs", `${sha256}.incomplete`), weights.subarray(0, 2000));
    const found = await hubRepository(at);
    expect(readFileSync(join(found, "model.safetensors"))).toEqual(weights);
    expect(asked).toContain("model.safetensors bytes=2000-");
  });
});
