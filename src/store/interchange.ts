import { nameLine } from "../core/quote.ts";
import { csvLine, withAtomicFile, writeParquet } from "../files/index.ts";
import type { EmbeddedImage, Embeddings } from "./embeddings.ts";

/** A picture of an image as a data URI; undefined where it is gone. */
export type PictureOf = (image: EmbeddedImage) => Promise<string | undefined>;

const vectorOf = ({ features: { data, dimension } }: Embeddings, i: number) =>
  data.subarray(i * dimension, (i + 1) * dimension);

async function writeLines(path: string, lines: Iterable<string>): Promise<void> {
  await withAtomicFile(path, async (file) => {
    let pending = "";
    for (const line of lines) {
      pending += line;
      if (pending.length < 1 << 20) continue;
      await file.write(pending);
      pending = "";
    }
    await file.write(pending);
  });
}

/** A cell of the projector's tables, which know no quotes: tabs and line ends are escaped. */
const cell = (value: string | number | undefined) => nameLine(String(value ?? ""));

/** Vectors for TensorBoard's projector: a line an image, numbers with tabs between them. */
export async function writeProjectorVectors(path: string, embeddings: Embeddings): Promise<void> {
  const { count } = embeddings.features;
  function* lines() {
    for (let i = 0; i < count; i++) yield `${vectorOf(embeddings, i).join("\t")}\n`;
  }
  await writeLines(path, lines());
}

/** What the projector shows of each image: a line of names, then a line an image. */
export async function writeProjectorMetadata(
  path: string,
  images: readonly EmbeddedImage[],
): Promise<void> {
  const names = ["id", "label", "group", "width", "height"] as const;
  function* lines() {
    yield `${names.join("\t")}\n`;
    for (const image of images) yield `${names.map((name) => cell(image[name])).join("\t")}\n`;
  }
  await writeLines(path, lines());
}

/** The projector's config, for the files beside it. */
export const projectorConfig = (tile: number): string => `embeddings {
  tensor_name: "contrapose"
  tensor_path: "vectors.tsv"
  metadata_path: "metadata.tsv"
  sprite {
    image_path: "sprite.png"
    single_image_dim: ${tile}
    single_image_dim: ${tile}
  }
}
`;

/**
 * Embeddings as Lightly writes them: `filenames, embedding_0, …, labels`. Labels are numbers of the names
 * in order, −1 for images without one. Returns the names.
 */
export async function writeLightly(path: string, embeddings: Embeddings): Promise<string[]> {
  const { images, features } = embeddings;
  const classes = [...new Set(images.flatMap(({ label }) => label ?? []))].sort();
  const columns = Array.from({ length: features.dimension }, (_, i) => `embedding_${i}`);
  function* lines() {
    yield csvLine(["filenames", ...columns, "labels"]);
    for (const [i, { id, label }] of images.entries()) {
      const number = label === undefined ? -1 : classes.indexOf(label);
      yield csvLine([id, ...vectorOf(embeddings, i), number]);
    }
  }
  await writeLines(path, lines());
  return classes;
}

/**
 * A table for Embedding Atlas: the columns of ours, and `image`, a small picture as a data URL, which Atlas
 * shows beside a point. Vectors are in `vector`.
 */
export async function writeAtlas(
  path: string,
  embeddings: Embeddings,
  picture: PictureOf,
): Promise<void> {
  const columns = [
    { name: "id", type: "string" },
    { name: "label", type: "string", nullable: true },
    { name: "group", type: "int32" },
    { name: "width", type: "int32" },
    { name: "height", type: "int32" },
    { name: "image", type: "string", nullable: true },
    { name: "vector", type: "vector" },
  ] as const;
  async function* rows() {
    for (const [i, image] of embeddings.images.entries()) {
      const { id, label, group, width, height } = image;
      const vector = vectorOf(embeddings, i);
      const shown = (await picture(image)) ?? null;
      yield { id, label: label ?? null, group, width, height, image: shown, vector };
    }
  }
  await writeParquet(path, columns, rows());
}
