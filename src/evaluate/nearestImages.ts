import { permutation, randomStream } from "../core/random.ts";
import type { Images, LoadedEncoder } from "../inference/index.ts";
import { nearestNeighbours, pickRows } from "../metrics/index.ts";
import { embedImages } from "./embedImages.ts";
import { openLoaded } from "./imageEncoder.ts";

/** Some images with those nearest to them, nearest first; numbers are those of the images in the set. */
export type NearestImages = readonly {
  readonly query: number;
  readonly neighbours: readonly { readonly index: number; readonly similarity: number }[];
}[];

/** Embeds a set and finds the nearest images of some of its images, chosen by the seed. */
export async function nearestImages(
  loaded: LoadedEncoder,
  images: Images,
  { queries = 6, k = 8, seed = 0 }: { queries?: number; k?: number; seed?: number } = {},
): Promise<NearestImages> {
  const encoder = await openLoaded(loaded);
  const { features } = await embedImages(encoder, images).finally(() => encoder.dispose());
  const chosen = permutation(randomStream(seed, "queries"), features.count).slice(0, queries);
  const asked = pickRows(features, chosen);
  const found = nearestNeighbours(asked, features, Math.min(k + 1, features.count));
  return Array.from(chosen, (query, row) => {
    const all = Array.from({ length: found.k }, (_, i) => ({
      index: found.indices[row * found.k + i],
      similarity: found.similarities[row * found.k + i],
    }));
    return { query, neighbours: all.filter(({ index }) => index !== query).slice(0, k) };
  });
}
