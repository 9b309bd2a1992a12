import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";

import { ConfigError, DataError } from "../../core/errors.ts";
import { quoted } from "../../core/quote.ts";
import { splitNames } from "../../data/index.ts";
import {
  type EmbeddedImages,
  embedImages,
  type ImageEncoder,
  openImageEncoder,
} from "../../evaluate/index.ts";
import { lock } from "../../files/index.ts";
import { type Images, storedFor } from "../../inference/index.ts";
import {
  type EmbeddingFiles,
  embeddingFiles,
  type Embeddings,
  readEmbeddings,
  writeEmbeddings,
} from "../../store/index.ts";
import { count, counted } from "../format.ts";
import type { Answer, Call } from "../verb.ts";
import { encoderOptionsOf } from "../common/encoder.ts";
import { encoderGiven } from "../common/from.ts";
import { cacheFor, noteInput, openWithProgress, progressOf } from "../common/images.ts";
import { valueReader, type ValueReader } from "../common/values.ts";

type Existing = { files: EmbeddingFiles; known: Embeddings | undefined };

function refuse(path: string, what: string): never {
  throw new ConfigError(`embed: ${quoted(path)} ${what}`, "choose another --out, or --overwrite");
}

async function readKnown(path: string, overwrite: boolean): Promise<Embeddings | undefined> {
  try {
    return await readEmbeddings(path);
  } catch (error) {
    if (overwrite && error instanceof DataError) return undefined; // overwriting mends damage
    throw error;
  }
}

/**
 * What stands where the files are to go: a table of this encoder, its vectors scaled alike, is gone on
 * from; anything else is refused.
 */
async function existing(
  files: EmbeddingFiles,
  encoder: ImageEncoder,
  { unit, overwrite }: { unit: boolean; overwrite: boolean },
): Promise<Existing> {
  const there = Object.values(files).filter((path) => existsSync(path));
  if (there.length === 0) return { files, known: undefined };
  const { parquet } = files;
  const readable = parquet !== undefined && existsSync(parquet);
  const known = readable ? await readKnown(parquet, overwrite) : undefined;
  if (overwrite) return { files, known };
  if (known === undefined) {
    return refuse(there[0], "exists, and there is no table (.parquet) to go on from");
  }
  const { encoderHash, unit: scaled } = known.facts;
  if (encoderHash !== encoder.hash) refuse(parquet!, "holds vectors of another encoder");
  if ((scaled === "true") !== unit) {
    refuse(parquet!, `holds vectors made with${unit ? "out" : ""} --normalise`);
  }
  return { files, known };
}

/** Refuses to put images of one place where those of another are. */
function checkPlace({ files, known }: Existing, { dataset }: Images): void {
  const { path } = dataset.header.source;
  const before = known?.facts.images;
  if (before === undefined || before === path) return;
  const [is, asked] = [before, path].map((place) => quoted(place));
  refuse(files.parquet!, `holds the images of ${is}, not those of ${asked}`);
}

/** Where the images are: as given, or those the encoder was trained on. */
function imagesOf(word: string | undefined, values: ValueReader, encoder: ImageEncoder): string {
  const given = values.text("data");
  if (word !== undefined && given !== undefined && word !== given) {
    throw new ConfigError(`embed: images are given twice, as ${word} and as --data ${given}`);
  }
  const data = word ?? given ?? encoder.data;
  if (data !== undefined) return data;
  throw new ConfigError(
    "embed: which images is missing, the encoder does not say what it was trained on",
    "as in contrapose embed runs/photos ./photos, or embed ./photos --from efficientnet-lite0",
  );
}

function say(embedded: EmbeddedImages, files: EmbeddingFiles, { printer }: Call): void {
  const { fresh, kept, dropped, features } = embedded;
  const parts = [`${count(fresh)} new`, `${count(kept)} unchanged`, `${count(dropped)} dropped`];
  const how = kept + dropped === 0 ? "" : ` (${parts.join(", ")})`;
  const size = `${features.dimension} numbers each`;
  printer.say(`embedded   ${counted(features.count, "image")}${how}, ${size}`);
  if (files.parquet !== undefined) {
    printer.say(`table      ${files.parquet}: id, path, label, group, width, height, vector`);
  }
  if (files.npy !== undefined) {
    printer.say(`array      ${files.npy}, row i is line i of ${files.names}`);
  }
  if (files.parquet === undefined) return;
  const name = files.npy === undefined ? files.parquet : files.parquet.replace(/\.parquet$/, "");
  printer.say();
  printer.say("next");
  printer.say(`  contrapose search ${name} --image photo.jpg   a page of the images nearest to it`);
}

/** Embeds images and writes the embeddings. */
export async function runEmbed(call: Call): Promise<Answer> {
  const { out } = call.options;
  const { parquet, npy } = embeddingFiles(typeof out === "string" ? out : "embeddings");
  const place = parquet ?? npy ?? "embeddings";
  const held = await lock(place, {
    what: `embed: ${quoted(place)} is being written`,
    note: (text) => call.printer.note(`note       ${text}`),
  });
  try {
    return await embedLocked(call);
  } finally {
    held.release();
  }
}

async function embedLocked(call: Call): Promise<Answer> {
  const { options, signal } = call;
  const values = valueReader("embed", options);
  const asked = encoderOptionsOf(values);
  const out = values.text("out") ?? "embeddings";
  const part = values.oneOf("split", splitNames);
  values.check();
  const [unit, overwrite] = [values.flag("normalise"), values.flag("overwrite")];
  const { path, rest } = await encoderGiven("embed", call, values, 1);
  const encoder = await openImageEncoder(path, asked);
  try {
    const data = imagesOf(rest[0], values, encoder);
    const before = await existing(embeddingFiles(out), encoder, { unit, overwrite });
    const imageSize = storedFor(encoder.format);
    const cache = cacheFor(call, path, dirname(out));
    const split = part ?? (data === encoder.data ? encoder.split : undefined);
    const { ranges } = encoder;
    const images = await openWithProgress(data, cache, call, { imageSize, split, ranges });
    try {
      if (!overwrite) checkPlace(before, images);
      noteInput(images, encoder.format, call);
      const show = progressOf(call);
      const embedded = await embedImages(encoder, images, {
        known: before.known,
        unit,
        facts: { encoder: resolve(encoder.path), stated: JSON.stringify(asked.stated) },
        signal,
        progress: (done, total) => show("embedding", done, total),
      });
      const whole = Object.values(before.files).every((path) => existsSync(path));
      if (overwrite || !embedded.unchanged || !whole) await writeEmbeddings(before.files, embedded);
      say(embedded, before.files, call);
      return answerOf(embedded, before.files);
    } finally {
      images.close();
    }
  } finally {
    await encoder.dispose();
  }
}

function answerOf({ features, facts, fresh, kept, dropped }: EmbeddedImages, files: object) {
  return {
    images: features.count,
    dimension: features.dimension,
    fresh,
    kept,
    dropped,
    files: Object.values(files),
    features: facts.features,
  };
}
