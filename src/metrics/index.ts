export type { Features, LabelledFeatures } from "./features.ts";
export { unitRows } from "./features.ts";
export { knnClassify, type KnnOptions, type KnnResult } from "./knn.ts";
export { nearestNeighbours, type Neighbours } from "./nearest.ts";
