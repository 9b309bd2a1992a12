import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";

import type { HostArray, HostRecord } from "../core/arrays.ts";
import { entryNamed } from "../core/catalogue.ts";
import { ConfigError, DataError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";
import { type Head, heads, type HostVariables, type Network } from "../encoders/index.ts";
import { checkFinite, isBehindStart, readWeights } from "./checkpointFile.ts";
import { describedNetwork, descriptionOf, type EncoderDescription } from "./description.ts";
import type { StatedInput } from "./format.ts";
import { namedEncoder } from "./namedEncoder.ts";
import { factsBeside, repositoryAt } from "./repository.ts";
import { loadTrainableOnnx } from "./trainableOnnx.ts";

/** An encoder with its weights and what it takes. */
export type LoadedEncoder = {
  readonly path: string;
  readonly description: EncoderDescription;
  readonly network: Network;
  readonly variables: HostVariables;
};

/** A head with its weights. */
export type LoadedHead = { readonly network: Network; readonly variables: HostVariables };

/** Puts named arrays into a network's variables. Throws `DataError` where one is missing or of another shape. */
export function fillVariables(path: string, network: Network, arrays: HostRecord): HostVariables {
  const take = (specs: Network["parameters"]): HostRecord =>
    Object.fromEntries(
      Object.entries(specs).map(([name, { shape }]) => {
        const found = arrays[name] as HostArray | undefined;
        if (found?.dtype === "float32" && found.shape.join() === shape.join()) return [name, found];
        const is =
          found === undefined ? "is missing" : `is ${found.dtype}[${found.shape.join(", ")}]`;
        throw new DataError(
          `${quoted(path)}: ${name} ${is}, expected float32[${shape.join(", ")}]`,
        );
      }),
    );
  return { parameters: take(network.parameters), statistics: take(network.statistics) };
}

/** The file of a run that holds the pretrained encoder that it began with. */
export const START = "start.safetensors";

/** The pretrained encoder that a run began with, where the run was behind it when it was measured last. */
function startAhead(run: string): string | undefined {
  const [start, last] = [join(run, START), join(run, "checkpoints", "last")];
  if (!existsSync(last) || !isBehindStart(last)) return undefined;
  if (existsSync(start)) return start;
  throw new DataError(
    `${quoted(run)} ended behind the encoder that it began with, and its ${START} is missing`,
    "put the file back, or give its checkpoints/last, which was trained",
  );
}

/**
 * The weights file that a run, a checkpoint or a file stands for. Of a run it is the last checkpoint, as the best one was
 * chosen by a measurement; but a run that ends behind the pretrained encoder that it began with gives that encoder.
 */
export function weightsPath(path: string): string {
  if (!existsSync(path)) throw new DataError(`${quoted(path)} does not exist`);
  if (!statSync(path).isDirectory()) return path;
  const ahead = startAhead(path);
  if (ahead !== undefined) return ahead;
  const parent = join(path, "checkpoints");
  const kept = existsSync(parent) ? readdirSync(parent).sort().reverse() : [];
  const numbered = kept.filter((name) => name.startsWith("epoch-")); // newest first
  const names = ["last", ...numbered, "best"].map((name) => join("checkpoints", name));
  const places = [".", ...names].map((name) => join(name, "weights.safetensors"));
  const found = places.map((place) => join(path, place)).find((place) => existsSync(place));
  if (found !== undefined) return found;
  throw new DataError(
    `${quoted(path)} holds no checkpoint`,
    "give the folder of a run, a checkpoint or a weights.safetensors file",
  );
}

function refuseStated(path: string, stated: StatedInput, own: EncoderDescription): void {
  const { imageSize = own.imageSize, ...others } = stated;
  const isOther = imageSize !== own.imageSize;
  if (!isOther && Object.values(others).every((value) => value === undefined)) return;
  throw new ConfigError(
    `${quoted(path)} says itself how images become its input`,
    "leave out --image-size, --mean, --std and --output: they are for pretrained encoders and ONNX models",
  );
}

/** The ONNX model that a path is or, of a repository without other weights, holds. */
export function onnxAt(path: string): string | undefined {
  if (/\.onnx$/i.test(path)) return path;
  const repository = repositoryAt(path);
  return repository?.weights === undefined ? repository?.onnx : undefined;
}

/**
 * Loads an encoder from a run, a checkpoint, a weights file that contrapose wrote, or weights of other makers:
 * a folder laid out like a repository of a hub, a safetensors file with its `config.json` beside it, or an ONNX
 * model, whose graph is then trained as it is. Of those, `stated` may say the size of images and what no file says.
 */
export async function loadEncoder(path: string, stated: StatedInput = {}): Promise<LoadedEncoder> {
  const loaded = await opened(path, stated);
  const { parameters, statistics } = loaded.variables;
  checkFinite({ ...parameters, ...statistics }, quoted(loaded.path));
  return loaded;
}

async function opened(path: string, stated: StatedInput): Promise<LoadedEncoder> {
  const onnx = onnxAt(path);
  if (onnx !== undefined) return { path: onnx, ...(await loadTrainableOnnx(onnx, stated)) };
  const repository = repositoryAt(path);
  const file = repository?.weights ?? weightsPath(path);
  const { arrays, metadata } = await readWeights(file);
  const description = descriptionOf(metadata, quoted(file));
  if (description === undefined) {
    const found = namedEncoder(file, arrays, repository ?? factsBeside(file), stated);
    return { path: file, ...found };
  }
  refuseStated(file, stated, description);
  const network = describedNetwork(description, quoted(file));
  return { path: file, description, network, variables: fillVariables(file, network, arrays) };
}

/** The head that an encoder was trained with, from the checkpoint that its weights lie in. */
export async function loadHead({ path, description, network }: LoadedEncoder): Promise<LoadedHead> {
  const file = join(dirname(path), "state.safetensors");
  const { training } = description;
  if (training === undefined || !existsSync(file)) {
    throw new DataError(
      `${quoted(path)} has no head beside it: there is no state.safetensors`,
      "give the folder of a run, or use the features before the head",
    );
  }
  const { name, ...options } = training.head;
  const entry = entryNamed<Head>(heads, name);
  if (entry === undefined) throw new DataError(`head ${quoted(name)} is unknown`);
  const head = entry(network.dimension, options);
  const { arrays } = await readWeights(file);
  const averaged = Object.keys(arrays).some((at) => at.startsWith("average/head/"));
  const prefix = averaged ? "average/head/" : "head/";
  const named = Object.entries(arrays).flatMap(([at, array]) =>
    at.startsWith(prefix) ? [[at.slice(at.indexOf("/", prefix.length) + 1), array]] : [],
  );
  const found = Object.fromEntries(named) as HostRecord;
  return { network: head, variables: fillVariables(file, head, found) };
}
