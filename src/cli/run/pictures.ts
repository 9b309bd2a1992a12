import { existsSync, statSync } from "node:fs";
import { dirname, relative, resolve, sep } from "node:path";

import { DataError } from "../../core/errors.ts";
import type { PixelImage } from "../../core/pixels.ts";
import {
  decodeImage,
  encodeJpeg,
  openDataset,
  type PackedDataset,
  resizeImage,
} from "../../data/index.ts";
import { insideFolder } from "../../files/index.ts";
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

/** A small picture that a page can hold itself. */
export async function thumbnailSource(image: PixelImage): Promise<string> {
  const scale = Math.min(1, SIDE / Math.max(image.width, image.height));
  const [width, height] = [image.width, image.height].map((x) =>
    Math.max(1, Math.round(scale * x)),
  );
  const shown = scale < 1 ? await resizeImage(image, width, height) : image;
  const bytes = await encodeJpeg(shown, 80);
  return `data:image/jpeg;base64,${Buffer.from(bytes).toString("base64")}`;
}

async function openPacked({ packed }: EmbeddingFacts): Promise<PackedDataset | undefined> {
  if (packed === undefined || !existsSync(packed)) return undefined;
  try {
    return await openDataset(packed, { memory: 0 }); // a few pictures of many are shown
  } catch (error) {
    if (error instanceof DataError) return undefined; // pictures are an addition
    throw error;
  }
}

const isFolder = (path: string | undefined): path is string =>
  path !== undefined && (statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false);

/** The file of an image; undefined where the images are not plain files, or it is gone. */
function fileOf({ images }: EmbeddingFacts, { path, id }: EmbeddedImage): string | undefined {
  if (!isFolder(images) || path !== id) return undefined;
  const file = insideFolder(images, path);
  return existsSync(file) ? file : undefined;
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
  return {
    dataset,
    pixels: (image) => pixelsOf(image, fileOf(facts, image)),
    async shown(image, page, more = {}) {
      const file = fileOf(facts, image);
      const pixels = await pixelsOf(image, file);
      const own = pixels && { ...pixels, data: pixels.data.slice() };
      const { path, id, label } = image;
      return {
        path: path === id ? path : id,
        ...(label === undefined ? {} : { label }),
        ...(own === undefined ? {} : { source: await thumbnailSource(own) }),
        ...(file === undefined ? {} : { link: linkFrom(page, file) }),
        ...more,
      };
    },
    close: () => dataset?.close(),
  };
}
