import { existsSync } from "node:fs";

import { ContraposeError } from "../core/errors.ts";

/**
 * The compiled file of a worker: beside the caller in dist/, or, for code that runs from src/ (as tests
 * do), its counterpart in dist/.
 *
 * @param caller `import.meta.url` of a file of the same folder
 */
export function workerUrl(name: string, caller: string): URL {
  const beside = new URL(`./${name}.js`, caller);
  const compiled = new URL(beside.href.replace(/\/src\/((?:\w+\/)+[^/]+)$/, "/dist/$1"));
  if (existsSync(compiled)) return compiled;
  throw new ContraposeError(
    `worker file ${compiled.pathname} does not exist`,
    "run npm run build first",
  );
}
