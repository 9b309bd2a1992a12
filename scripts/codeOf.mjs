// Which code a measured figure depends on, as one hash: the files that training and evaluation import, those of the
// loss, samplers, encoder, … that a config names, and the versions of the packages that compute and decode. Comments,
// layout and declarations of types do not count.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

import ts from "typescript";

const root = join(import.meta.dirname, "..");
const src = join(root, "src");

// what trains, the workers that draw views, and what draws sample images
const training = ["train/train.ts", "views/load/viewWorker.ts", "data/sample/renderSamples.ts"];
/** What figures may be about, each with the files that make them. */
const subjects = {
  runs: [...training, "evaluate/evaluate.ts"],
  doctor: [...training, "train/health/doctor.ts"],
};

/** Packages that figures depend on. */
const packages = ["@jax-js/jax", "onnxruntime-node", "sharp"];
const { packages: installed } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
const versions = packages.map((name) => `${name} ${installed[`node_modules/${name}`].version}`);

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

// writing files changes no figure but by a fault, nor do locks and journals of packing, reports, or a version by itself
const never = /^(files|report)\/|^data\/packed\/journal\.ts$|^core\/version\.ts$/;
// weights are the same to the bit with and without pairs written down and looks at a run's health
const watching = /^train\/(health|pairs)\/|^frameworks\/judge\/recorder\.ts$/;
const isCounted = (path, subject) => {
  const name = relative(src, path);
  return existsSync(path) && !never.test(name) && (subject === "doctor" || !watching.test(name));
};

const isIndex = (path) => path.endsWith("/index.ts");

/** Files that a file needs, through any number of imports. Catalogues lead nowhere: their entries are named. */
function closure(starts, subject) {
  const found = new Set();
  const queue = [...starts];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (found.has(path) || !isCounted(path, subject)) continue;
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

/** Files of src on which figures of a run with these parts depend; `subject` is "runs" or "doctor". */
export function filesOf(parts, subject = "runs") {
  const starts = [...subjects[subject].map((path) => join(src, path)), ...parts.map(fileOf)];
  const found = closure(
    starts.filter((path) => path !== undefined),
    subject,
  );
  return [...found].map((path) => relative(src, path)).sort();
}

const hashes = new Map();
/** A hash of the code that figures of a run with these parts depend on. */
export function codeOf(parts, subject = "runs") {
  const key = [subject, ...parts].join();
  if (!hashes.has(key)) {
    const hash = createHash("sha256").update(`${versions.join()}\0`);
    for (const file of filesOf(parts, subject)) hash.update(`${file}\0${emit(join(src, file))}\0`);
    hashes.set(key, hash.digest("hex").slice(0, 12));
  }
  return hashes.get(key);
}

/** How a record of bench/results stands to the code as it is: "current", "other" or "unknown". */
export function standing({ code, parts }, subject = "runs") {
  if (code === undefined || parts === undefined) return "unknown";
  return code === codeOf(parts, subject) ? "current" : "other";
}
