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
