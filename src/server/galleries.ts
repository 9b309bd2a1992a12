import { dirname } from "node:path";

import type { PixelImage } from "../core/pixels.ts";
import { fileOf, openPacked } from "../evaluate/embeddedPictures.ts";
import { decodeImage } from "../data/index.ts";
import { type Images, openImages, packedIn } from "../inference/index.ts";
import { readEmbeddedImages } from "../store/index.ts";
import { runConfig } from "../train/index.ts";
import { keepFew } from "./keep.ts";
import type { Places } from "./places.ts";

/** The images of a place, by row. */
export type Gallery = {
  readonly count: number;
  /** The row of an image by its id. */
  readonly rowOf: (id: string) => number | undefined;
  readonly labelOf: (row: number) => string | undefined;
  readonly idOf: (row: number) => string;
  readonly images?: Images;
  /** Pixels as they are stored for training, a copy; undefined where they are gone. */
  picture(row: number): Promise<PixelImage | undefined>;
  /** Pixels as the file has them. */
  original(row: number): Promise<PixelImage | undefined>;
  close(): void;
};

const copy = (image: PixelImage): PixelImage => ({ ...image, data: image.data.slice() });

async function firstOf<T>(all: AsyncIterable<T> | undefined): Promise<T | undefined> {
  if (all === undefined) return undefined;
  for await (const one of all) return one;
  return undefined;
}

function galleryOf(images: Images): Gallery {
  const rows = new Map(Array.from({ length: images.count }, (_, row) => [images.idOf(row), row]));
  const { labels, classes } = images;
  return {
    count: images.count,
    images,
    idOf: (row) => images.idOf(row),
    rowOf: (id) => rows.get(id),
    labelOf: (row) => classes?.[labels?.[row] ?? -1],
    picture: async (row) => copy(images.image(row)),
    original: async (row) =>
      (await firstOf(images.originals?.([row])).catch(() => undefined)) ?? copy(images.image(row)),
    close: () => images.close(),
  };
}

async function galleryOfTable(path: string): Promise<Gallery> {
  const { images, facts } = await readEmbeddedImages(path);
  const dataset = await openPacked(facts);
  const numbers = new Map(dataset?.ids.map((id, i) => [id, i]));
  const rows = new Map(images.map(({ id }, row) => [id, row]));
  const original = async (row: number) => {
    const file = fileOf(facts, images[row]);
    return file === undefined
      ? undefined
      : decodeImage(file).then(
          ({ image }) => image,
          () => undefined,
        );
  };
  const packed = (row: number) => {
    const number = numbers.get(images[row].id);
    return number === undefined ? undefined : copy(dataset!.image(number));
  };
  return {
    count: images.length,
    idOf: (row) => images[row].id,
    rowOf: (id) => rows.get(id),
    labelOf: (row) => images[row].label,
    picture: async (row) => packed(row) ?? (await original(row)),
    original: async (row) => (await original(row)) ?? packed(row),
    close: () => dataset?.close(),
  };
}

/** Opens the images of places, a few at a time. */
export function openGalleries(places: () => Places) {
  const kept = keepFew<Gallery>(6, (gallery) => gallery.close());
  const open = async (id: string): Promise<Gallery | undefined> => {
    const { runs, tables, images, roots } = places();
    const [run, table, folder] = [runs.get(id), tables.get(id), images.get(id)];
    if (run !== undefined) {
      const { data, imageSize, split, labels } = runConfig(run.path);
      const cache = packedIn(dirname(run.path));
      return galleryOf(await openImages(data, { cache, imageSize, split, labels, memory: 0 }));
    }
    if (table !== undefined) return galleryOfTable(table.path);
    if (folder === undefined) return undefined;
    return galleryOf(await openImages(folder.path, { cache: packedIn(roots[0]), memory: 0 }));
  };
  return {
    /** The images of a run, a table or a folder; undefined where there is no such place. */
    async of(id: string): Promise<Gallery | undefined> {
      const { runs, tables, images } = places();
      const known = runs.has(id) || images.has(id) || tables.has(id);
      if (!known) return undefined;
      const mark = tables.get(id)?.changed ?? "";
      return kept.get(`${id} ${mark}`, async () => (await open(id))!);
    },
    close: () => kept.close(),
  };
}

/** Images of places. */
export type Galleries = ReturnType<typeof openGalleries>;
