import { existsSync } from "node:fs";
import { join } from "node:path";

import { ConfigError } from "../../core/errors.ts";
import type { PixelImage } from "../../core/pixels.ts";
import { nameLine } from "../../core/quote.ts";
import { encodePng, resizeImage } from "../../data/index.ts";
import { writeFileAtomic } from "../../files/index.ts";
import {
  type Embeddings,
  projectorConfig,
  readEmbeddings,
  tablePath,
  writeAtlas,
  writeLightly,
  writeProjectorMetadata,
  writeProjectorVectors,
} from "../../store/index.ts";
import { counted } from "../format.ts";
import type { Answer, Call } from "../verb.ts";
import { square } from "./picture.ts";
import { openPictures, type Pictures } from "./pictures.ts";
import type { ValueReader } from "./values.ts";

/** Programs that embeddings are written for. */
export const programs = ["tensorboard", "atlas", "lightly"] as const;

type Written = { files: string[]; next: string };

const LARGEST = 8192; // pixels of a sprite's side that the projector can show
const TILE = 64; // pixels of an image in it, where there is room

/** Small squares of all images in one picture, row after row. */
async function sprite({ images }: Embeddings, pictures: Pictures): Promise<[PixelImage, number]> {
  const columns = Math.ceil(Math.sqrt(images.length));
  const tile = Math.max(1, Math.min(TILE, Math.floor(LARGEST / columns)));
  const side = columns * tile;
  const data = new Uint8Array(side * side * 3).fill(255);
  for (const [i, image] of images.entries()) {
    const pixels = await pictures.pixels(image);
    if (pixels === undefined) continue;
    const small = await resizeImage(square(pixels), tile, tile);
    const [left, top] = [(i % columns) * tile, Math.floor(i / columns) * tile];
    for (let y = 0; y < tile; y++) {
      const row = small.data.subarray(3 * y * tile, 3 * (y + 1) * tile);
      data.set(row, 3 * ((top + y) * side + left));
    }
  }
  return [{ width: side, height: side, channels: 3, data }, tile];
}

async function forTensorboard(out: string, embeddings: Embeddings, pictures: Pictures) {
  const names = ["vectors.tsv", "metadata.tsv", "sprite.png", "projector_config.pbtxt"];
  const [vectors, metadata, image, config] = names.map((name) => join(out, name));
  await writeProjectorVectors(vectors, embeddings);
  await writeProjectorMetadata(metadata, embeddings.images);
  const [picture, tile] = await sprite(embeddings, pictures);
  await writeFileAtomic(image, await encodePng(picture));
  await writeFileAtomic(config, projectorConfig(tile));
  return { files: [vectors, metadata, image, config], next: `tensorboard --logdir ${out}` };
}

async function forAtlas(out: string, embeddings: Embeddings, pictures: Pictures) {
  const picture = async (image: Embeddings["images"][number]) =>
    (await pictures.shown(image, out)).source;
  await writeAtlas(out, embeddings, picture);
  return { files: [out], next: `embedding-atlas ${out} --vector vector --image image` };
}

async function forLightly(out: string, embeddings: Embeddings) {
  const classes = await writeLightly(out, embeddings);
  const names = `${out.replace(/\.csv$/i, "")}.classes.txt`;
  if (classes.length > 0) await writeFileAtomic(names, `${classes.map(nameLine).join("\n")}\n`);
  const load = `lightly.utils.io.load_embeddings("${out}")`;
  return {
    files: [out, ...(classes.length > 0 ? [names] : [])],
    next: `from lightly.utils.io import load_embeddings; ${load}`,
  };
}

/** Writes embeddings for another program. */
export async function runExportEmbeddings(
  call: Call,
  to: (typeof programs)[number],
  values: ValueReader,
): Promise<Answer> {
  const { options, printer } = call;
  const [name] = call.words as (string | undefined)[];
  if (name === undefined) throw new ConfigError(`export: which embeddings go to ${to} is missing`);
  const table = tablePath(name);
  const base = table.replace(/\.parquet$/i, "");
  const usual = {
    tensorboard: `${base}-projector`,
    atlas: `${base}.atlas.parquet`,
    lightly: `${base}.csv`,
  };
  const out = values.text("out") ?? usual[to];
  const there = to === "tensorboard" ? join(out, "vectors.tsv") : out;
  if (existsSync(there) && options.overwrite !== true) {
    throw new ConfigError(
      `export: ${JSON.stringify(there)} exists`,
      "choose another --out, or --overwrite",
    );
  }
  const embeddings = await readEmbeddings(table);
  const pictures = await openPictures(embeddings.facts);
  try {
    const write = { tensorboard: forTensorboard, atlas: forAtlas, lightly: forLightly }[to];
    const { files, next }: Written = await write(out, embeddings, pictures);
    printer.say(`written    ${counted(embeddings.images.length, "image")}: ${files.join(", ")}`);
    printer.say(`next       ${next}`);
    return { to, images: embeddings.images.length, files, next };
  } finally {
    pictures.close();
  }
}
