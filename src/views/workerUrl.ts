import { existsSync } from "node:fs";

import { ContraposeError } from "../core/errors.ts";

/**
 * The compiled file of a worker of this folder: beside the caller in dist/, or, for code that runs from
 * src/ (as tests do), its counterpart in dist/.
 */
export function workerUrl(name: string): URL {
  const beside = new URL(`./${name}.js`, import.meta.url);
  const compiled = new URL(beside.href.replace(/\/src\/views\/([^/]+)$/, "/dist/views/$1"));
  if (existsSync(compiled)) return compiled;
  throw new ContraposeError(
    `views: worker file ${compiled.pathname} does not exist`,
    "run npm run build first, or set workers to 0",
  );
}
