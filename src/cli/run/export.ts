import { existsSync } from "node:fs";
import { join } from "node:path";

import { ConfigError } from "../../core/errors.ts";
import { quoted } from "../../core/quote.ts";
import { exportEncoder, exportHubFolder } from "../../evaluate/index.ts";
import { loadEncoder, type LoadedEncoder } from "../../inference/index.ts";
import { counted } from "../format.ts";
import type { Answer, Call } from "../verb.ts";
import { programs, runExportEmbeddings } from "../common/exportEmbeddings.ts";
import { statedOf } from "../common/encoder.ts";
import { encoderGiven } from "../common/from.ts";
import { valueReader } from "../common/values.ts";

const exportNames = [
  ...["encoder.onnx", "weights.safetensors", "model.safetensors"],
  ...["encoder.json", "README.md"],
];
const hubNames = [
  ...["config.json", "preprocessor_config.json", "model.safetensors"],
  ...[join("onnx", "model.onnx"), "README.md"],
];

function refuseExisting(out: string, names: readonly string[], overwrite: boolean): void {
  const there = names.map((name) => join(out, name)).find((path) => existsSync(path));
  if (there === undefined || overwrite) return;
  throw new ConfigError(`export: ${quoted(there)} exists`, "choose another --out, or --overwrite");
}

const sayNarrowed = (printer: Call["printer"], narrowed: number) => {
  if (narrowed === 0) return;
  printer.say(`rounded    ${counted(narrowed, "array")} to 16 bits, as in the model it began as`);
};

const sayChecked = (printer: Call["printer"], relative: number) =>
  printer.say(
    `checked    loaded back, the largest difference is ${relative.toExponential(1)} of the largest feature`,
  );

/** Writes a folder as hubs lay it out. */
async function hubFolder(loaded: LoadedEncoder, out: string, { printer }: Call) {
  const written = await exportHubFolder(loaded, out);
  const { config, processor, weights, onnx, card, relative, narrowed } = written;
  printer.say(`config     ${processor === undefined ? config : `${config}, ${processor}`}`);
  printer.say(`weights    ${weights}`);
  printer.say(`model      ${onnx}`);
  sayNarrowed(printer, narrowed);
  printer.say(`card       ${card}: read it before you publish`);
  sayChecked(printer, relative);
  return written;
}

/** Writes the files of an encoder. */
async function encoderFiles(
  loaded: LoadedEncoder,
  out: string,
  options: Parameters<typeof exportEncoder>[2],
  { printer }: Call,
) {
  const exported = await exportEncoder(loaded, out, options);
  const { dimension, relative, onnx, weights, makers, readme, input, output, narrowed } = exported;
  const n = exported.batch === "any" ? "N" : exported.batch;
  printer.say(`model      ${onnx}: ${input} of ${n} images to ${output} [${n}, ${dimension}]`);
  sayNarrowed(printer, narrowed);
  const own = loaded.description.graph === undefined ? "torchvision's" : "the model's own";
  printer.say(`weights    ${weights}, ${own} names`);
  if (makers !== undefined) printer.say(`           ${makers}, the names that they came with`);
  printer.say(`code       ${readme} loads them in Python and JavaScript`);
  sayChecked(printer, relative);
  return exported;
}

/** Exports an encoder. */
export async function runExport(call: Call): Promise<Answer> {
  const { options } = call;
  const values = valueReader("export", options);
  const batch = values.number("batch", { whole: true, least: 1 });
  const features = values.oneOf("features", ["features", "head"]);
  const to = values.oneOf("to", ["onnx", "hub-folder", ...programs]) ?? "onnx";
  values.check();
  if (to !== "onnx" && to !== "hub-folder") return runExportEmbeddings(call, to, values);
  const out = values.text("out") ?? "exported";
  const hub = to === "hub-folder";
  refuseExisting(out, hub ? hubNames : exportNames, options.overwrite === true);
  if (hub && (batch !== undefined || features === "head")) {
    throw new ConfigError("export: --to hub-folder takes neither --batch nor --features head");
  }
  const { path } = await encoderGiven("export", call, values, 0);
  const loaded = await loadEncoder(path, statedOf(values));
  const written = hub
    ? await hubFolder(loaded, out, call)
    : await encoderFiles(loaded, out, { batch, features }, call);
  return { run: path, ...written };
}
