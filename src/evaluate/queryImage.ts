import { existsSync } from "node:fs";
import { resolve } from "node:path";

import { z } from "zod";

import { DataError } from "../core/errors.ts";
import { parseAs } from "../core/json.ts";
import { quoted } from "../core/quote.ts";
import type { PixelImage } from "../core/pixels.ts";
import {
  type Conversion,
  conversionsOf,
  decodeImage,
  isBlank,
  type PackedDataset,
  PixelRange,
} from "../data/index.ts";
import { type ImageEncoder, openImageEncoder } from "./imageEncoder.ts";
import { encoderRows, packedSize, type StatedInput, storedFor } from "../inference/index.ts";
import type { Features } from "../metrics/index.ts";
import type { EmbeddingFacts } from "../store/index.ts";

const triple = z.array(z.number()).length(3).optional();

/** What a user said of a foreign model when its embeddings were made. */
const Stated: z.ZodType<StatedInput> = z.object({
  imageSize: z.int().positive().optional(),
  mean: triple,
  std: triple,
  output: z.string().optional(),
});

/** How the encoder of embeddings is opened, and where it is, if not where they say. */
type EncoderPlace = {
  path?: string | undefined;
  device?: string | undefined;
  threads?: number | undefined;
};

/** Opens the encoder that embeddings were made with. Throws `DataError` where it is not the same any more. */
export async function openEncoderOf(
  facts: EmbeddingFacts,
  { path = facts.encoder, ...options }: EncoderPlace,
): Promise<ImageEncoder> {
  const { encoderHash, features, stated } = facts;
  if (path === undefined || encoderHash === undefined) {
    throw new DataError(
      "search: the table does not say which encoder made its vectors",
      "ask with --id, or embed the images with contrapose embed",
    );
  }
  if (!existsSync(path)) {
    throw new DataError(
      `search: the encoder ${quoted(path)} does not exist`,
      "say with --encoder where it is, or ask with --id",
    );
  }
  const encoder = await openImageEncoder(path, {
    ...options,
    ...(features === "head" ? { features } : {}),
    stated: parseAs(Stated, stated ?? "{}", {
      where: "search: what the footer of the table states of the encoder",
      hint: "embed the images again",
    }),
  });
  if (encoder.hash === encoderHash) return encoder;
  await encoder.dispose();
  throw new DataError(
    `search: ${quoted(path)} is another encoder than the one that made the vectors`,
    "it was trained on, or contrapose was updated: embed the images again",
  );
}

/** How deep pixels are shown in a set: as its packed form says, or its table, or the training of the encoder. */
function rangesOf(
  { ranges }: EmbeddingFacts,
  dataset: PackedDataset | undefined,
  encoder: ImageEncoder,
): readonly PixelRange[] | undefined {
  if (dataset?.header.ranges !== undefined) return dataset.header.ranges;
  if (ranges === undefined) return encoder.ranges;
  try {
    return PixelRange.array().parse(JSON.parse(ranges));
  } catch (cause) {
    const message = "search: the table has unreadable ranges of pixels in its footer";
    throw new DataError(message, "embed the images again", { cause });
  }
}

/**
 * The vector of an image file, by its path or its bytes, made as those of the set were, and the image at the size of the packed images. With what
 * was done to its pixels.
 */
export async function embedFile(
  given: string | Uint8Array,
  encoder: ImageEncoder,
  { facts, dataset }: { facts: EmbeddingFacts; dataset: PackedDataset | undefined },
): Promise<{ image: PixelImage; features: Features; conversions: readonly Conversion[] }> {
  const file = typeof given === "string" ? resolve(given) : given;
  const size = packedSize(storedFor(encoder.format));
  const fit = dataset?.header.settings ?? { size, longest: 4 * size, minimum: 8 };
  const damaged = dataset?.header.settings.damaged;
  const ranges = rangesOf(facts, dataset, encoder);
  const decoded = await decodeImage(file, { fit, damaged, ranges });
  const { image } = decoded;
  async function* originals() {
    yield (await decodeImage(file, { damaged, ranges })).image;
  }
  const one = { count: 1, image: () => image, originals };
  const features = await encoder.embed(encoderRows(one, encoder.format));
  const conversions = conversionsOf([{ ...decoded.file, blank: isBlank(image) }]);
  return { image, features, conversions };
}
