import { ConfigError } from "../../core/errors.ts";
import { quoted } from "../../core/quote.ts";
import { splitNames } from "../../data/index.ts";
import { embedImages, openImageEncoder } from "../../evaluate/index.ts";
import { datasetName, storedFor } from "../../inference/index.ts";
import { type Embeddings, readEmbeddings, tablePath } from "../../store/index.ts";
import type { Call } from "../verb.ts";
import { encoderOptionsOf } from "./encoder.ts";
import { encoderGiven } from "./from.ts";
import { cacheFor, noteInput, openWithProgress, progressOf } from "./images.ts";
import { areImages } from "./imageSet.ts";
import { embeddingsOf } from "../run/search.ts";
import type { ValueReader } from "./values.ts";

/** Images embedded for this one answer. */
async function embedNow(
  verb: string,
  name: string,
  call: Call,
  values: ValueReader,
): Promise<Embeddings> {
  const asked = encoderOptionsOf(values);
  const split = values.oneOf("split", splitNames);
  const { path } = await encoderGiven(verb, call, values, 1);
  const encoder = await openImageEncoder(path, asked);
  try {
    const { format, ranges } = encoder;
    const opening = { imageSize: storedFor(format), split, ranges };
    const images = await openWithProgress(name, cacheFor(call, path), call, opening);
    try {
      noteInput(images, format, call);
      const show = progressOf(call);
      return await embedImages(encoder, images, {
        signal: call.signal,
        progress: (done, total) => show("embedding", done, total),
      });
    } finally {
      images.close();
    }
  } finally {
    await encoder.dispose();
  }
}

/** Embeddings that a verb is about. */
export type EmbeddedSource = {
  readonly beside: string; // where results go that have no other place
  readonly open: () => Promise<Embeddings>;
};

/** What images are asked about, and where results go that have no other place. */
export function embeddedSource(verb: string, call: Call, values: ValueReader): EmbeddedSource {
  const name = embeddingsOf(call);
  const [images, from] = [areImages(name), values.text("from")];
  if (images === (from !== undefined)) {
    const beside = images ? datasetName(name) : tablePath(name);
    return {
      beside,
      open: () => (images ? embedNow(verb, name, call, values) : readEmbeddings(beside)),
    };
  }
  throw images
    ? new ConfigError(
        `${verb}: ${quoted(name)} are images, which need an encoder`,
        `contrapose ${verb} ${name} --from efficientnet-lite0, or embed them first`,
      )
    : new ConfigError(
        `${verb}: --from is for images, ${quoted(name)} is no folder of them`,
        "leave --from out for a table of embeddings",
      );
}
