import { existsSync } from "node:fs";
import { join } from "node:path";

import { ConfigError } from "../../core/errors.ts";
import { exportEncoder } from "../../evaluate/index.ts";
import { loadEncoder } from "../../inference/index.ts";
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
  const names = ["encoder.onnx", "weights.safetensors", "encoder.json", "README.md"];
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
  const { imageSize, dimension, relative, onnx, weights, readme } = exported;
  const n = exported.batch === "any" ? "N" : exported.batch;
  printer.say(
    `model      ${onnx}: images [${n}, 3, ${imageSize}, ${imageSize}] to features [${n}, ${dimension}]`,
  );
  printer.say(`weights    ${weights}, torchvision's names`);
  printer.say(`code       ${readme} loads them in Python and JavaScript`);
  printer.say(
    `checked    loaded back, the largest difference is ${relative.toExponential(1)} of the largest feature`,
  );
  return { run: path, ...exported };
}
