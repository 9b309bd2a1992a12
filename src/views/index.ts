export { batchesPerEpoch, epochOrder, viewsDrawer } from "./batches.ts";
export { benchViews } from "./bench.ts";
export type { ViewRate } from "./bench.ts";
export { boxFromActivation } from "./activationBox.ts";
export type { ActivationBox, ActivationMap } from "./activationBox.ts";
export { drawBeta } from "./beta.ts";
export { boxAt, meanArea, restrictedShare, setBox, wholeBox, wholeBoxes } from "./boxes.ts";
export type { Boxes } from "./boxes.ts";
export { contrastiveCrop } from "./contrastiveCrop.ts";
export type { ContrastiveCrop, ContrastiveDraws, StartRange } from "./contrastiveCrop.ts";
export type {
  Box,
  BoxSides,
  CropOptions,
  CropPolicy,
  CropRanges,
  Rectangle,
  Size,
  SizeDraw,
} from "./crop.ts";
export { crops } from "./crops.ts";
export { otherImage } from "./falsePositives.ts";
export type { ImagePlace } from "./falsePositives.ts";
export { drawImageViews } from "./imageViews.ts";
export type { ImageContext, OtherImage } from "./imageViews.ts";
export { openViewLoader } from "./loader.ts";
export type { ViewBatch, ViewLoader, ViewLoaderOptions } from "./loader.ts";
export { loocViews } from "./looc.ts";
export { objectCoverage } from "./objectCoverage.ts";
export { packParameters, PACKED_PARAMETERS, unpackParameters } from "./packedParameters.ts";
export { drawViewParameters, identityParameters } from "./parameters.ts";
export type { ColourStep, ViewContext, ViewParameters } from "./parameters.ts";
export { cropsWithBoxes, transformsOf, viewPresetNames, viewPresets } from "./policy.ts";
export type { TransformPolicy, ViewOverride, ViewPolicy } from "./policy.ts";
export { picturesOf, previewViews } from "./preview.ts";
export type { PreviewedView } from "./preview.ts";
export { createRenderer, renderView } from "./render.ts";
export type { Renderer, RenderOptions } from "./render.ts";
export type { Interpolation } from "./resize.ts";
export { createByteResizer } from "./resizeBytes.ts";
export { ViewOptions, viewPolicy } from "./viewOptions.ts";
