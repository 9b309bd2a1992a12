export { renderComparison } from "./renderComparison.ts";
export type {
  ClustersPage,
  DuplicatesPage,
  ImageDifference,
  ImageGroup,
  SearchPage,
  Shown,
} from "./pages/pageData.ts";
export {
  renderClusters,
  renderDuplicates,
  renderOutliers,
  renderSuggestions,
} from "./pages/renderGroups.ts";
export { renderSearch } from "./pages/renderSearch.ts";
export { renderReport } from "./renderReport.ts";
export type {
  EpochPoint,
  Evaluation,
  Fact,
  Measured,
  Measures,
  Neighbour,
  NeighbourRow,
  ReportData,
  SkippedFile,
  Thumbnail,
  TrainingPoint,
  ViewRow,
} from "./reportData.ts";
export type {
  InspectData,
  PageAnchor,
  PageImage,
  PagePair,
  PageStep,
  ShareBox,
} from "./inspect/inspectData.ts";
export { renderInspect } from "./inspect/renderInspect.ts";
