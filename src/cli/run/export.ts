import { existsSync } from "node:fs";
import { join } from "node:path";

import { ConfigError } from "../../core/errors.ts";
import { exportEncoder } from "../../evaluate/index.ts";
import { loadEncoder } from "../../inference/index.ts";
import { counted } from "../format.ts";
import type { Answer, Call } from "../verb.ts";
import { programs, runExportEmbeddings } from "./exportEmbeddings.ts";
import { statedOf } from "./encoder.ts";
import { encoderGiven } from "./from.ts";
import { valueReader } from "./values.ts";

/** Exports an encoder. */
export async function runExport(call: Call): Promise<Answer> {
  const { options, printer } = call;
  const values = valueReader("export", options);
  const batch = values.number("batch", { whole: true, least: 1 });
  const features = values.oneOf("features", ["features", "head"]);
  const to = values.oneOf("to", ["onnx", ...programs]) ?? "onnx";
  values.check();
  if (to !== "onnx") return runExportEmbeddings(call, to, values);
  const out = values.text("out") ?? "exported";
  const names = [
    ...["encoder.onnx", "weights.safetensors", "model.safetensors"],
    ...["encoder.json", "README.md"],
  ];
  const there = names.map((name) => join(out, name)).find((path) => existsSync(path));
  if (there !== undefined && options.overwrite !== true) {
    throw new ConfigError(
      `export: ${JSON.stringify(there)} exists`,
      "choose another --out, or --overwrite",
    );
  }
  const { path } = await encoderGiven("export", call, values, 0);
  const loaded = await loadEncoder(path, statedOf(values));
  const exported = await exportEncoder(loaded, out, { batch, features });
  const { dimension, relative, onnx, weights, makers, readme, input, output, narrowed } = exported;
  const n = exported.batch === "any" ? "N" : exported.batch;
  printer.say(`model      ${onnx}: ${input} of ${n} images to ${output} [${n}, ${dimension}]`);
  if (narrowed > 0) {
    printer.say(
      `rounded    ${counted(narrowed, "array")} to 16 bits, as the model that it began as`,
    );
  }
  const own = loaded.description.graph === undefined ? "torchvision's" : "the model's own";
  printer.say(`weights    ${weights}, ${own} names`);
  if (makers !== undefined) printer.say(`           ${makers}, the names that they came with`);
  printer.say(`code       ${readme} loads them in Python and JavaScript`);
  printer.say(
    `checked    loaded back, the largest difference is ${relative.toExponential(1)} of the largest feature`,
  );
  return { run: path, ...exported };
}
