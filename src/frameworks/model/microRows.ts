/** Rows of a micro-batch: among all views of a batch [V·B], and among all embeddings of their kind. */
export type MicroRows = { readonly views: Int32Array; readonly places: Int32Array };

/** A micro-batch of B images; image b belongs to micro-batch b mod `count`. */
type Place = { readonly images: number; readonly count: number; readonly index: number };

/** The first `views` views of the images of a micro-batch, view-major. */
export function queryRows({ images, views, count, index }: Place & { views: number }): MicroRows {
  const rows = Int32Array.from({ length: (views * images) / count }, (_, i) => index + i * count);
  return { views: rows, places: rows };
}

/**
 * Views that are keys in a micro-batch, as `shuffled` orders them over all `splits` parts of the batch that are
 * normalised apart: images that share a part as queries do not as keys.
 */
export function keyRows(
  { images, views, count, index }: Place & { views: readonly number[] },
  splits: number,
): MicroRows {
  const all = views.length * images;
  const perSplit = all / splits;
  const places = Int32Array.from({ length: all / count }, (_, i) => {
    const p = index + i * count; // in the shuffled order
    return (p % perSplit) * splits + Math.floor(p / perSplit);
  });
  const rows = places.map((n) => views[Math.floor(n / images)] * images + (n % images));
  return { views: rows, places };
}
