// Serves the search page on the loopback address: the exported encoder, the vectors, the images, onnxruntime-web.
// node examples/search-page/serve.mjs EXPORTED EMBEDDINGS IMAGES [--port 8080]
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { insideFolder } from "../../dist/files/index.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { port: { type: "string", default: "8080" } },
});
const [exported, embeddings, images] = positionals;
if (images === undefined) {
  console.error("node examples/search-page/serve.mjs EXPORTED EMBEDDINGS IMAGES [--port 8080]");
  process.exit(2);
}

/** The folder of onnxruntime-web, which the page needs and the package does not bring. */
function runtimeFolder() {
  try {
    return dirname(fileURLToPath(import.meta.resolve("onnxruntime-web/wasm")));
  } catch {
    console.error("the page needs onnxruntime-web: npm install onnxruntime-web@1.30.0");
    process.exit(2);
  }
}

const here = fileURLToPath(new URL(".", import.meta.url));
const root = join(here, "..", "..");
const base = embeddings.replace(/\.(parquet|npy)$/, "");
const folders = {
  "/contrapose/": join(root, "dist"),
  "/ort/": runtimeFolder(),
  "/model/": exported,
  "/images/": images,
  "/": here,
};
const files = {
  "/": join(here, "index.html"),
  "/vectors.npy": `${base}.npy`,
  "/names.txt": `${base}.names.txt`,
};
const types = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".json": "application/json",
  ".wasm": "application/wasm",
  ".txt": "text/plain; charset=utf-8",
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".jpeg": "image/jpeg",
  ".webp": "image/webp",
  ".svg": "image/svg+xml",
};
const policy =
  "default-src 'self'; script-src 'self' 'wasm-unsafe-eval' blob:; img-src 'self' blob: data:; style-src 'self' 'unsafe-inline'";

/** The file of a request. Throws where its path leads out of the folder. */
function fileOf(url) {
  const path = decodeURIComponent(url.split("?")[0]);
  if (files[path] !== undefined) return files[path];
  const prefix = Object.keys(folders).find((name) => path.startsWith(name));
  return insideFolder(folders[prefix], path.slice(prefix.length));
}

const server = createServer(async (request, response) => {
  const answer = (status, type, body) => {
    const headers = { "content-type": type, "content-security-policy": policy };
    response.writeHead(status, { ...headers, "x-content-type-options": "nosniff" });
    response.end(body);
  };
  try {
    const file = fileOf(request.url);
    answer(
      200,
      types[extname(file).toLowerCase()] ?? "application/octet-stream",
      await readFile(file),
    );
  } catch (error) {
    answer(error.code === undefined ? 403 : 404, "text/plain; charset=utf-8", error.message);
  }
});
server.listen(Number(values.port), "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${server.address().port}/`);
});
