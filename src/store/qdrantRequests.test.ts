import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { afterAll, expect, test } from "vitest";

import { StoreError } from "../core/errors.ts";
import { type QdrantPlace, qdrantStore } from "./index.ts";

type Serve = (request: IncomingMessage, response: ServerResponse) => void;

const servers: ReturnType<typeof createServer>[] = [];
afterAll(() => {
  for (const server of servers) server.close().closeAllConnections();
});

async function addressOf(serve: Serve): Promise<string> {
  const server = createServer(serve);
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const replying = (text: string, status = 200) =>
  addressOf((_request, response) => response.writeHead(status).end(text));

const KEY = 'k"ey-7';

async function errorOf(host: string, more: Partial<QdrantPlace> = {}, signal?: AbortSignal) {
  const url = `http://user:p%40ss@${host}/base/?token=t0ken`;
  const place = { url, collection: "photos", apiKey: KEY, seconds: 2, ...more };
  const failed = await qdrantStore(place, { count: 3, mark: "m" }, signal).then(
    () => undefined,
    (error: unknown) => error as StoreError,
  );
  for (const secret of ["user", "p%40ss", "p@ss", 'k"ey', 'k\\"ey', "t0ken", btoa("user:p@ss")]) {
    expect(`${failed?.message} ${failed?.hint}`).not.toContain(secret);
  }
  return failed!;
}

test("carry user, password, key and token to the server, and nowhere else", async () => {
  const asked: unknown[] = [];
  const other = await addressOf((_request, response) => {
    asked.push("the other server was asked");
    response.end('{"result":{}}');
  });
  const host = await addressOf(({ url, headers }, response) => {
    asked.push([url, headers["api-key"], headers.authorization]);
    response.writeHead(307, { location: `http://${other}/` }).end();
  });
  const error = await errorOf(host);
  expect(error).toBeInstanceOf(StoreError);
  expect(error.message).toBe(
    `qdrant: GET http://${host}/base/collections/photos was answered with a redirect to another address, which is not followed`,
  );
  const basic = `Basic ${btoa("user:p@ss")}`;
  expect(asked).toEqual([["/base/collections/photos?token=t0ken", KEY, basic]]);
});

test("end after their time, with the signal, and with a reply that is too long", async () => {
  const silent = await addressOf(() => undefined);
  expect((await errorOf(silent, { seconds: 0.1 })).message).toContain("within 0.1 s");
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 50);
  expect((await errorOf(silent, {}, stop.signal)).message).toBe("qdrant: interrupted");
  const endless = await addressOf((_request, response) => {
    const more = () => void response.write("x".repeat(2 ** 20), () => setImmediate(more));
    more();
  });
  expect((await errorOf(endless, { seconds: 20 })).message).toContain("more than 16777216 bytes");
});

test("say what came where it is not what was asked for", async () => {
  for (const [text, status, said] of [
    ['{"result":', 200, String.raw`answered with "{\"result\":": it is no JSON`],
    ["null", 200, 'answered with "null": Invalid input'],
    ['{"result":null}', 200, "Invalid input: expected object, received null"],
    [
      '{"result":{"config":{"params":{"vectors":{"size":"8"}}}}}',
      200,
      "config.params.vectors.size",
    ],
    [JSON.stringify({ status: { error: `bad ${KEY}` } }), 500, 'failed with status 500: "bad …"'],
    [`<p>${KEY} p@ss</p>\n`, 200, String.raw`"<p>… …</p>\n": it is no JSON`],
    ["[".repeat(100_000), 502, "failed with status 502: no reason given"],
  ] as const) {
    const error = await errorOf(await replying(text, status));
    expect(error).toBeInstanceOf(StoreError);
    expect(error.message).toContain(said);
    expect(error.message.length).toBeLessThan(500);
  }
});

test("check every reply of a search", async () => {
  const replies: Record<string, unknown> = {
    "GET /collections/photos": { config: { params: { vectors: { size: 2 } } } },
    "POST /collections/photos/points/count": { count: 3 },
    "GET /collections/photos/points/0": { payload: { embeddings: "m" } },
  };
  const host = await addressOf(({ method, url }, response) =>
    response.end(JSON.stringify({ result: replies[`${method} ${url}`] })),
  );
  const open = () =>
    qdrantStore({ url: `http://${host}`, collection: "photos" }, { count: 3, mark: "m" });
  const store = await open();
  const one = { data: Float32Array.of(1, 0), count: 1, dimension: 2 };
  const batch = "POST /collections/photos/points/query/batch";
  const image = { id: "a", path: "a", group: 0, width: 1, height: 1, content: "" };
  const hit = { score: 0.5, payload: image };
  for (const wrong of [
    ...[null, [], [{ points: null }], [{ points: [hit, hit] }]],
    ...[{ ...hit, score: null }, { score: 0.5 }, { ...hit, payload: { ...image, id: 7 } }].map(
      (point) => [{ points: [point] }],
    ),
  ]) {
    replies[batch] = wrong;
    await expect(store.search(one, { k: 1 })).rejects.toThrow(StoreError);
  }
  replies[batch] = [{ points: [hit] }];
  expect((await store.search(one, { k: 1 }))[0][0].image.id).toBe("a");
  await expect(store.search({ ...one, data: Float32Array.of(NaN, 0) }, { k: 1 })).rejects.toThrow(
    "query holds NaN",
  );
  for (const wrong of [null, { points: [{}] }, { points: [{ vector: [1] }] }]) {
    replies["POST /collections/photos/points/scroll"] = wrong;
    await expect(store.vectorOf("a")).rejects.toThrow(StoreError);
  }
  replies["POST /collections/photos/points/count"] = {};
  await expect(open()).rejects.toThrow("count: Invalid input: expected number, received undefined");
});

test("need an address and a key that can be sent", async () => {
  for (const url of ["localhost:6333", "ftp://u:secret@h", "http://", "file:///secret"]) {
    const opened = qdrantStore({ url, collection: "a" }, { count: 1, mark: "" });
    await expect(opened).rejects.toThrow(/^--url is no address of a server$/);
  }
  await expect(
    qdrantStore({ url: "http://h", collection: "a", apiKey: "a\nb" }, { count: 1, mark: "" }),
  ).rejects.toThrow("QDRANT_API_KEY is no key");
});
