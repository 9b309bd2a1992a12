import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";

import { DataError } from "../core/errors.ts";
import { parseJson } from "../core/json.ts";
import { quoted } from "../core/quote.ts";
import type { Facts } from "../encoders/index.ts";
import { fileError } from "../files/index.ts";

/** Files of a pretrained encoder, laid out as hubs do it. */
export type Repository = {
  readonly weights: string | undefined; // model.safetensors, or the index of its parts
  readonly onnx: string | undefined;
  readonly config: Facts;
  readonly processor: Facts | undefined;
};

function readFacts(path: string): Facts | undefined {
  if (!existsSync(path)) return undefined;
  try {
    const facts: unknown = parseJson(readFileSync(path, "utf8"));
    if (typeof facts === "object" && facts !== null)
      return Object.fromEntries(Object.entries(facts));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw fileError(error, "read", path);
  }
  throw new DataError(`${quoted(path)} is no JSON object`, "download it again");
}

const onnxNames = [join("onnx", "model.onnx"), "model.onnx"];

/** The repository that a folder is, or undefined where it holds no weights as hubs name them. */
export function repositoryAt(folder: string): Repository | undefined {
  if (!(statSync(folder, { throwIfNoEntry: false })?.isDirectory() ?? false)) return undefined;
  const found = (names: readonly string[]) =>
    names.map((name) => join(folder, name)).find((path) => existsSync(path));
  const weights = found(["model.safetensors", "model.safetensors.index.json"]);
  const onnx = found(onnxNames);
  if (weights === undefined && onnx === undefined) return undefined;
  return {
    weights,
    onnx,
    config: readFacts(join(folder, "config.json")) ?? {},
    processor: readFacts(join(folder, "preprocessor_config.json")),
  };
}

/** What lies beside a file of weights: the facts of its folder, or of the one above for an `onnx` folder. */
export function factsBeside(file: string): Pick<Repository, "config" | "processor"> {
  const own = dirname(file);
  const folder = basename(own) === "onnx" ? dirname(own) : own;
  return {
    config: readFacts(join(folder, "config.json")) ?? {},
    processor: readFacts(join(folder, "preprocessor_config.json")),
  };
}
