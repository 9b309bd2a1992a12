import { readFileSync, statSync } from "node:fs";
import { dirname, relative, resolve, sep } from "node:path";

import type { PixelImage } from "../../core/pixels.ts";
import {
  decodeImage,
  encodeJpeg,
  type PackedDataset,
  plainJpeg,
  resizeImage,
} from "../../data/index.ts";
import { fileOf, openPacked } from "../../evaluate/embeddedPictures.ts"; // not the index: dedupe starts without the engine
import type { Shown } from "../../report/index.ts";
import type { EmbeddedImage, EmbeddingFacts } from "../../store/index.ts";

/** Pictures of embedded images, for pages. */
export type Pictures = {
  /** The packed form of the images, where it is there. */
  readonly dataset: PackedDataset | undefined;
  /** Pixels of an image; undefined where they are gone. Good until the next are asked for. */
  pixels(image: EmbeddedImage): Promise<PixelImage | undefined>;
  /** An image as a page shows it, with a link to its file from the page at `page`. */
  shown(image: EmbeddedImage, page: string, more?: Partial<Shown>): Promise<Shown>;
  close(): void;
};

const SIDE = 240; // pixels of a thumbnail's longer side: packed photos mostly stay as they are

const embedded = (jpeg: Uint8Array) =>
  `data:image/jpeg;base64,${Buffer.from(jpeg).toString("base64")}`;

/** A picture that a page can hold itself. */
export const pictureSource = async (image: PixelImage): Promise<string> =>
  embedded(await encodeJpeg(image, 80));

/** A small picture that a page can hold itself. */
export async function thumbnailSource(image: PixelImage): Promise<string> {
  const scale = Math.min(1, SIDE / Math.max(image.width, image.height));
  const [width, height] = [image.width, image.height].map((x) =>
    Math.max(1, Math.round(scale * x)),
  );
  return pictureSource(scale < 1 ? await resizeImage(image, width, height) : image);
}

const LARGEST = 24 * 1024; // bytes

/** The file itself as a small picture, where it is one already and a page may hold all that is in it. */
function asItIs({ width, height }: EmbeddedImage, file: string): string | undefined {
  const fits = width > 0 && Math.max(width, height) <= SIDE && statSync(file).size <= LARGEST;
  const bytes = fits ? readFileSync(file) : undefined;
  return bytes !== undefined && plainJpeg(bytes) !== undefined ? embedded(bytes) : undefined;
}

function linkFrom(page: string, file: string): string {
  const way = relative(dirname(resolve(page)), file);
  return way
    .split(sep)
    .map((name) => encodeURIComponent(name))
    .join("/");
}

/** Opens the pictures of embeddings: the packed form that they were made from, or the files themselves. */
export async function openPictures(facts: EmbeddingFacts): Promise<Pictures> {
  const dataset = await openPacked(facts);
  return { ...picturesOf(facts, dataset), close: () => dataset?.close() };
}

/** The same where the packed form is open, and stays so. */
export function picturesOf(
  facts: EmbeddingFacts,
  dataset: PackedDataset | undefined,
): Omit<Pictures, "close"> {
  const numbers = new Map(dataset?.ids.map((id, i) => [id, i]));
  const pixelsOf = async (image: EmbeddedImage, file: string | undefined) => {
    const number = numbers.get(image.id);
    if (number !== undefined) return dataset!.image(number);
    if (file === undefined) return undefined;
    return decodeImage(file).then(
      (decoded) => decoded.image,
      () => undefined,
    );
  };
  const drawn = async (image: EmbeddedImage, file: string | undefined) => {
    const pixels = await pixelsOf(image, file);
    return pixels && thumbnailSource({ ...pixels, data: pixels.data.slice() });
  };
  return {
    dataset,
    pixels: (image) => pixelsOf(image, fileOf(facts, image)),
    async shown(image, page, more = {}) {
      const file = fileOf(facts, image);
      const small = file === undefined ? undefined : asItIs(image, file);
      const source = small ?? (await drawn(image, file));
      const { path, id, label } = image;
      return {
        path: path === id ? path : id,
        ...(label === undefined ? {} : { label }),
        ...(source === undefined ? {} : { source }),
        ...(file === undefined ? {} : { link: linkFrom(page, file) }),
        ...more,
      };
    },
  };
}
