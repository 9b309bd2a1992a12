export { classShares, share, type Share } from "./accuracy.ts";
export { isUneven } from "./uneven.ts";
export { alignment } from "./alignment.ts";
export { effectiveRank, singularValues } from "./effectiveRank.ts";
export { symmetricEigenvalues } from "./eigenvalues.ts";
export { featureSpread, type FeatureSpread } from "./featureSpread.ts";
export type { Features, LabelledFeatures } from "./features.ts";
export { checkFeatures, inverseNorms, pickRows, unitRows } from "./features.ts";
export { balancedShare, knnClassify, type KnnOptions, type KnnResult } from "./knn.ts";
export { type Clusters, kMeans, type KMeansOptions } from "./kMeans.ts";
export { linearProbe, type LinearProbeOptions, type LinearProbeResult } from "./linearProbe.ts";
export { nearestNeighbours, type Neighbours } from "./nearest.ts";
export { nearestOthers } from "./nearestOthers.ts";
export { findOutliers, type Outliers } from "./outliers.ts";
export { residentRows, type ResidentRows } from "./residentRows.ts";
export { umap } from "./umap.ts";
export { uniformity } from "./uniformity.ts";
export { scaleOf, standardise } from "./softmaxRegression.ts";
export { suggestRows, type SuggestedRow, type SuggestOptions } from "./suggestRows.ts";
export { pairAlignment, viewAgreement } from "./viewPairs.ts";
export {
  correctedLevel,
  LEAST_SEEDS,
  meanInterval,
  type MeanInterval,
  pairedDifference,
  type PairedDifference,
  type Verdict,
  verdictOf,
} from "./seeds.ts";
