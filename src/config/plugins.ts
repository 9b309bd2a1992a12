import { existsSync } from "node:fs";
import { register } from "node:module";
import { extname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

import { ConfigError } from "../core/errors.ts";
import { harmless, quoted } from "../core/quote.ts";
import { addToCatalogues } from "../frameworks/index.ts";

const PACKAGE = "contrapose-plugin:"; // a package as seen from the working directory

/**
 * How a plugin's imports are resolved: contrapose, jax-js and zod are those of this process wherever the plugin lies, as
 * arrays of two copies of jax-js do not mix. Runs in a thread of Node's own.
 */
const hooks = (here: string, folder: string) => `
export async function resolve(specifier, context, next) {
  const { parentURL = "" } = context;
  if (specifier.startsWith("${PACKAGE}")) {
    return next(specifier.slice(${PACKAGE.length}), { ...context, parentURL: ${JSON.stringify(folder)} });
  }
  const shared = /^(contrapose|@jax-js\\/jax|zod)(\\/|$)/.test(specifier) && !parentURL.includes("/node_modules/");
  return next(specifier, shared ? { ...context, parentURL: ${JSON.stringify(here)} } : context);
}`;

let hooked = false;

function hook(): void {
  if (hooked) return;
  hooked = true;
  const source = hooks(import.meta.url, pathToFileURL(join(process.cwd(), "any.js")).href);
  register(`data:text/javascript,${encodeURIComponent(source)}`);
}

const isFile = (plugin: string): boolean =>
  /^[./~]/.test(plugin) || extname(plugin) !== "" || existsSync(plugin);

/** Why a module could not be loaded. */
function failureOf(plugin: string, cause: unknown): ConfigError {
  const { code, message = String(cause) } = cause as NodeJS.ErrnoException;
  const name = `plugin ${quoted(plugin)}`;
  if (code === "ERR_UNKNOWN_FILE_EXTENSION" && /\.m?ts$/.test(plugin)) {
    return new ConfigError(
      `${name}: Node ${process.versions.node} does not read TypeScript, Node 22.18 and later do`,
      "or give the JavaScript that tsc makes of it",
      { cause },
    );
  }
  const why = harmless(message.split("\n")[0]).slice(0, 300);
  return new ConfigError(`${name} cannot be loaded: ${why}`, undefined, { cause });
}

async function load(plugin: string): Promise<string> {
  const path = isFile(plugin) ? resolve(plugin) : undefined;
  if (path !== undefined && !existsSync(path)) {
    throw new ConfigError(`plugin ${quoted(plugin)} does not exist`);
  }
  hook();
  let module: Record<string, unknown>;
  try {
    const url = path === undefined ? PACKAGE + plugin : pathToFileURL(path).href;
    module = (await import(/* @vite-ignore */ url)) as Record<string, unknown>;
  } catch (cause) {
    throw failureOf(plugin, cause);
  }
  const definitions = Object.values(module).flat();
  if (definitions.length === 0) {
    throw new ConfigError(
      `plugin ${quoted(plugin)} exports nothing`,
      "export what defineLoss, defineSampler or another define… gives",
    );
  }
  try {
    addToCatalogues(...definitions);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(`plugin ${quoted(plugin)}: ${error.message}`, error.hint, {
      cause: error,
    });
  }
  return path ?? plugin;
}

/**
 * Loads modules whose exports, definitions or lists of them, join the catalogues. Returns them as they are found from any
 * folder. Throws `ConfigError` where one cannot be loaded, or exports what is no definition.
 *
 * @param plugins files or packages, as a config says; of another form they are left to its check
 */
export async function loadPlugins(plugins: unknown): Promise<string[]> {
  if (!Array.isArray(plugins)) return [];
  const loaded: string[] = [];
  for (const plugin of plugins as unknown[]) {
    if (typeof plugin === "string") loaded.push(await load(plugin));
  }
  return loaded;
}
