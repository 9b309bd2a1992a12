import { DataError } from "../core/errors.ts";
import type { Features } from "../metrics/index.ts";
import type { EmbeddedImage } from "./embeddings.ts";
import type { Filter } from "./filter.ts";

/** An image that a search found. */
export type Hit = {
  readonly image: EmbeddedImage;
  readonly similarity: number; // cosine, −1 … 1
};

/** What is searched for. */
export type SearchOptions = {
  readonly k: number; // hits a query at most
  readonly where?: Filter | undefined;
};

/**
 * Vectors of images that can be searched, wherever they are kept.
 *
 * Every store gives the same answer to the same question, but for rounding and the order of equals; one
 * with an approximate index may miss some of the nearest.
 */
export type VectorStore = {
  readonly kind: "exact" | "duckdb" | "qdrant";
  readonly count: number;
  readonly dimension: number;
  /** The images nearest (cosine) to each query, nearest first. */
  search(queries: Features, options: SearchOptions): Promise<Hit[][]>;
  /** The vector of an image; undefined where there is no such image. */
  vectorOf(id: string): Promise<Float32Array | undefined>;
  close(): Promise<void>;
};

/** Throws `DataError` where queries have another width than the vectors of a store. */
export function checkWidth(asked: number, dimension: number): void {
  if (asked === dimension) return;
  throw new DataError(
    `search: the query has ${asked} numbers, expected ${dimension} as the vectors of the store`,
    "ask with the encoder that made the vectors",
  );
}
