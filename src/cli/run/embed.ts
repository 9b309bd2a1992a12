import { existsSync } from "node:fs";

import { type DataOf, hostArray } from "../../core/arrays.ts";
import { ConfigError } from "../../core/errors.ts";
import { embedImages, type EmbeddedImages } from "../../evaluate/index.ts";
import { writeFileAtomic, writeNpy, writeParquet } from "../../files/index.ts";
import { loadEncoder } from "../../inference/index.ts";
import { counted } from "../format.ts";
import type { Answer, Call } from "../verb.ts";
import { cacheFor, openWithProgress, progressOf } from "./images.ts";
import { valueReader } from "./values.ts";

/** The files that a name stands for, by kind. */
function filesFor(out: string): { parquet?: string; npy?: string; names?: string } {
  if (/\.parquet$/i.test(out)) return { parquet: out };
  const base = out.replace(/\.npy$/i, "");
  const array = { npy: `${base}.npy`, names: `${base}.names.txt` };
  return /\.npy$/i.test(out) ? array : { parquet: `${out}.parquet`, ...array };
}

function* rowsOf({ features, ids, labels }: EmbeddedImages) {
  const { data, dimension } = features;
  for (let i = 0; i < ids.length; i++) {
    const embedding = data.subarray(i * dimension, (i + 1) * dimension);
    yield { id: ids[i], label: labels[i] ?? null, embedding };
  }
}

async function writeAll(
  files: ReturnType<typeof filesFor>,
  embedded: EmbeddedImages,
  about: Record<string, string>,
) {
  const { parquet, npy, names } = files;
  if (parquet !== undefined) {
    const columns = [
      { name: "id", type: "string" as const },
      { name: "label", type: "string" as const, nullable: true },
      { name: "embedding", type: "vector" as const },
    ];
    await writeParquet(parquet, columns, rowsOf(embedded), about);
  }
  if (npy !== undefined) {
    const { data, dimension } = embedded.features;
    await writeNpy(
      npy,
      hostArray("float32", [embedded.ids.length, dimension], data as DataOf<"float32">),
    );
  }
  if (names !== undefined) await writeFileAtomic(names, `${embedded.ids.join("\n")}\n`);
}

/** Embeds images and writes the embeddings. */
export async function runEmbed(call: Call): Promise<Answer> {
  const { words, options, printer, signal } = call;
  const values = valueReader("embed", options);
  const features = values.oneOf("features", ["features", "head"]);
  const threads = values.number("threads", { whole: true, least: 1 });
  const loaded = await loadEncoder(words[0]);
  const data = values.text("data") ?? loaded.description.training?.data;
  if (data === undefined)
    values.need("data", "the weights do not say which images they were trained on");
  values.check();
  const files = filesFor(values.text("out") ?? "embeddings");
  const there = Object.values(files).find((path) => existsSync(path));
  if (there !== undefined && options.overwrite !== true) {
    throw new ConfigError(
      `embed: ${JSON.stringify(there)} exists`,
      "choose another --out, or --overwrite",
    );
  }
  const { imageSize } = loaded.description;
  const images = await openWithProgress(data!, cacheFor(words[0]), call, imageSize);
  try {
    const show = progressOf(call);
    const embedded = await embedImages(loaded, images, {
      ...{
        features,
        threads,
        device: values.text("device"),
        unit: options.normalise === true,
        signal,
      },
      progress: (done, total) => show("embedding", done, total),
    });
    const { count, dimension } = embedded.features;
    const about = { encoder: JSON.stringify(loaded.description.encoder), weights: loaded.path };
    await writeAll(files, embedded, about);
    printer.say(`embedded   ${counted(count, "image")}, ${dimension} numbers each`);
    if (files.parquet !== undefined)
      printer.say(`table      ${files.parquet}: id, label, embedding`);
    if (files.npy !== undefined)
      printer.say(`array      ${files.npy}, row i is line i of ${files.names}`);
    return {
      images: count,
      dimension,
      files: Object.values(files),
      features: features ?? "features",
    };
  } finally {
    images.close();
  }
}
