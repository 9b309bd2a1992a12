import { residentRows } from "../metrics/index.ts";
import type { Embeddings } from "./embeddings.ts";
import { matching } from "./filter.ts";
import type { Hit, VectorStore } from "./vectorStore.ts";

/** Exact search in memory: every vector is looked at, at the speed at which memory can be read. */
export function exactStore({ images, features }: Embeddings): VectorStore & { bytes: number } {
  const rows = residentRows(features);
  const { count, dimension } = features;
  return {
    kind: "exact",
    count,
    dimension,
    bytes: rows.bytes,
    async search(queries, { k, where }) {
      const allowed = where === undefined ? undefined : matching(where, images);
      const { indices, similarities, k: most } = rows.nearest(queries, k, allowed);
      return Array.from({ length: queries.count }, (_, q): Hit[] => {
        const places = Array.from({ length: most }, (_unused, i) => q * most + i);
        return places.flatMap((at) =>
          indices[at] < 0 ? [] : [{ image: images[indices[at]], similarity: similarities[at] }],
        );
      });
    },
    async vectorOf(id) {
      const row = images.findIndex((image) => image.id === id);
      return row < 0 ? undefined : features.data.slice(row * dimension, (row + 1) * dimension);
    },
    close: async () => undefined,
  };
}
