export {
  type EmbeddedImage,
  type EmbeddingFacts,
  type EmbeddingFiles,
  embeddingFiles,
  type Embeddings,
  readEmbeddedImages,
  readEmbeddings,
  tablePath,
  writeEmbeddings,
} from "./embeddings.ts";
export { buildDuckdb, type DuckdbStore, duckdbStore } from "./duckdbStore.ts";
export { exactStore } from "./exactStore.ts";
export { type Filter, matching, parseFilter } from "./filter.ts";
export {
  collectionName,
  databasePath,
  openStore,
  type StoreKind,
  storeKinds,
} from "./openStore.ts";
export { type QdrantPlace, shownAddress } from "./qdrantRequests.ts";
export { fillQdrant, qdrantStore } from "./qdrantStore.ts";
export type { Hit, SearchOptions, VectorStore } from "./vectorStore.ts";
export {
  cosineOf,
  type Group,
  type Joining,
  joinLinks,
  type Link,
  type LinkKind,
  mutualLinks,
  similarityThreshold,
  similarLinks,
} from "./duplicates.ts";
export {
  projectorConfig,
  writeAtlas,
  writeLightly,
  writeProjectorMetadata,
  writeProjectorVectors,
} from "./interchange.ts";
