export { batchesPerEpoch, epochOrder, placesOf, viewsDrawer } from "./load/batches.ts";
export { benchViews } from "./bench.ts";
export type { ViewRate } from "./bench.ts";
export { boxFromActivation } from "./crop/activationBox.ts";
export type { ActivationBox, ActivationMap } from "./crop/activationBox.ts";
export { drawBeta } from "./crop/beta.ts";
export { boxAt, meanArea, restrictedShare, setBox, wholeBox, wholeBoxes } from "./crop/boxes.ts";
export type { Boxes } from "./crop/boxes.ts";
export { contrastiveCrop } from "./crop/contrastiveCrop.ts";
export type { ContrastiveCrop, ContrastiveDraws, StartRange } from "./crop/contrastiveCrop.ts";
export type {
  Box,
  BoxSides,
  CropOptions,
  CropPolicy,
  CropRanges,
  Rectangle,
  Size,
  SizeDraw,
} from "./crop/crop.ts";
export { crops } from "./crop/crops.ts";
export { otherImage } from "./falsePositives.ts";
export type { ImagePlace } from "./falsePositives.ts";
export { drawImageViews } from "./imageViews.ts";
export type { ImageContext, OtherImage } from "./imageViews.ts";
export { openViewLoader } from "./load/loader.ts";
export type { ViewBatch, ViewLoader, ViewLoaderOptions } from "./load/loader.ts";
export { loocViews } from "./looc.ts";
export { objectCoverage } from "./crop/objectCoverage.ts";
export { packParameters, PACKED_PARAMETERS, unpackParameters } from "./load/packedParameters.ts";
export { drawViewParameters, identityParameters } from "./parameters.ts";
export type { ColourStep, ViewContext, ViewParameters } from "./parameters.ts";
export { cropsWithBoxes, transformsOf, viewPresetNames, viewPresets } from "./policy.ts";
export type { TransformPolicy, ViewOverride, ViewPolicy } from "./policy.ts";
export { picturesOf, previewViews } from "./preview.ts";
export type { PreviewedView } from "./preview.ts";
export { createRenderer, renderView } from "./draw/render.ts";
export type { Renderer, RenderOptions } from "./draw/render.ts";
export type { Interpolation } from "./draw/resize.ts";
export { createByteResizer } from "./draw/resizeBytes.ts";
export { ViewOptions, viewPolicy } from "./viewOptions.ts";
