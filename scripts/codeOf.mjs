// Which code a measured figure depends on, as one hash: the files that training and evaluation import, and those of
// the loss, samplers, encoder, … that a config names. Comments, layout and declarations of types do not count.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

import ts from "typescript";

const src = join(import.meta.dirname, "..", "src");
// what trains and measures, and the workers that draw views
const roots = ["train/train.ts", "evaluate/evaluate.ts", "views/viewWorker.ts"];

const printer = ts.createPrinter({ removeComments: true });
const isType = (statement) =>
  ts.isTypeAliasDeclaration(statement) ||
  ts.isInterfaceDeclaration(statement) ||
  (ts.isImportDeclaration(statement) && statement.importClause?.isTypeOnly === true) ||
  (ts.isExportDeclaration(statement) && statement.isTypeOnly);

const printed = new Map();
/** The statements of a file in one layout, without comments and declarations of types. */
function emit(path) {
  if (!printed.has(path)) {
    const file = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.ES2023);
    const kept = file.statements.filter((statement) => !isType(statement));
    const lines = kept.map((one) => printer.printNode(ts.EmitHint.Unspecified, one, file));
    printed.set(path, lines.join("\n"));
  }
  return printed.get(path);
}

const namesIn = (list) =>
  list
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "" && !one.startsWith("type "))
    .map((one) => one.split(/\s+as\s+/)[0]);

const imports = new Map();
/** Relative imports and re-exports of a file: the other file, and the names taken from it ("*" for all). */
function importsOf(path) {
  if (!imports.has(path)) imports.set(path, findImports(path));
  return imports.get(path);
}

function findImports(path) {
  const pattern = /(?:import|export)\s+(\*(?:\s+as\s+\w+)?|\{[^}]*\}|[\w$]+)\s+from\s+"(\.[^"]+)"/g;
  return [...emit(path).matchAll(pattern)]
    .map(([, what, file]) => ({
      file: join(dirname(path), file),
      names: what.startsWith("{") ? namesIn(what.slice(1, -1)) : ["*"],
    }))
    .filter(({ names }) => names.length > 0);
}

/** The file behind an index that has a name; undefined where the index makes it itself, as a catalogue. */
function behind(index, name) {
  const direct = importsOf(index).find(({ names }) => names.includes(name));
  if (direct !== undefined) return direct.file;
  return importsOf(index)
    .filter(({ names }) => names.includes("*"))
    .map(({ file }) => file)
    .find((file) =>
      new RegExp(`export (?:async )?(?:function\\*?|const|class|let) ${name}\\b`).test(emit(file)),
    );
}

// reading images and writing files change no figure but by a fault, and a version by itself changes none
const counted = (path) =>
  existsSync(path) && !/^(data|files)\/|^core\/version\.ts$/.test(relative(src, path));

const isIndex = (path) => path.endsWith("/index.ts");

/** Files that a file needs, through any number of imports. Catalogues lead nowhere: their entries are named. */
function closure(starts) {
  const found = new Set();
  const queue = [...starts];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (found.has(path) || !counted(path)) continue;
    found.add(path);
    for (const { file, names } of importsOf(path)) {
      if (!isIndex(file)) queue.push(file);
      else queue.push(...names.flatMap((name) => behind(file, name) ?? []));
    }
  }
  return found;
}

const folders = {
  loss: "losses",
  samplers: "sampling",
  mixer: "sampling",
  encoder: "encoders",
  head: "encoders",
  optimiser: "optim",
};

/** Entries of catalogues that a run's config.json names: `losses/infoNce`, `sampling/ring`, … */
export function partsOf(config) {
  const parts = Object.entries(folders).flatMap(([key, folder]) =>
    [config[key] ?? []].flat().map(({ name }) => `${folder}/${name}`),
  );
  return [...new Set(parts)].sort();
}

/** The file of a part: of its own name, or the one behind its folder's index. */
function fileOf(part) {
  const [folder, name] = part.split("/");
  const own = join(src, folder, `${name}.ts`);
  return existsSync(own) ? own : behind(join(src, folder, "index.ts"), name);
}

/** Files of src on which figures of a run with these parts depend. */
export function filesOf(parts) {
  const starts = [...roots.map((root) => join(src, root)), ...parts.map(fileOf)];
  return [...closure(starts.filter((path) => path !== undefined))]
    .map((path) => relative(src, path))
    .sort();
}

const hashes = new Map();
/** A hash of the code that figures of a run with these parts depend on. */
export function codeOf(parts) {
  const key = parts.join();
  if (!hashes.has(key)) {
    const hash = createHash("sha256");
    for (const file of filesOf(parts)) hash.update(`${file}\0${emit(join(src, file))}\0`);
    hashes.set(key, hash.digest("hex").slice(0, 12));
  }
  return hashes.get(key);
}

/** How a record of bench/results stands to the code as it is: "current", "other" or "unknown". */
export function standing({ code, parts }) {
  if (code === undefined || parts === undefined) return "unknown";
  return code === codeOf(parts) ? "current" : "other";
}
