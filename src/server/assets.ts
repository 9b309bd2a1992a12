import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import type { Hono } from "hono";

import { ContraposeError } from "../core/errors.ts";

const types: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** The page as `npm run build` made it: beside this code in dist/, or there for code that runs from src/. */
function pageFolder(): string {
  const here = fileURLToPath(new URL("../studio", import.meta.url));
  const built = fileURLToPath(new URL("../../dist/studio", import.meta.url));
  const found = [here, built].find((folder) => existsSync(join(folder, "index.html")));
  if (found !== undefined) return found;
  throw new ContraposeError("studio: its page was not built", "npm run build builds it");
}

/** Serves the page: its few files by their names, read once, so that no request leads to another file. */
export function addAssets(app: Hono): void {
  const folder = pageFolder();
  const names = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  for (const file of names) {
    const name = file.slice(folder.length).replaceAll("\\", "/");
    const bytes = new Uint8Array(readFileSync(file));
    const type = types[/\.\w+$/.exec(name)?.[0] ?? ""];
    if (type === undefined || name === "/index.html") continue;
    app.get(name, (c) => {
      c.header("Cache-Control", "private, max-age=31536000, immutable"); // names hold a hash
      return c.body(bytes, 200, { "Content-Type": type });
    });
  }
  const page = readFileSync(join(folder, "index.html"), "utf8");
  for (const view of ["/", "/new", "/runs/*", "/map/*", "/search/*", "/review/*"]) {
    app.get(view, (c) => c.html(page));
  }
}
