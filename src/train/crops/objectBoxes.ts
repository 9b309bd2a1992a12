import {
  type Box,
  type Boxes,
  objectCoverage,
  setBox,
  type ViewBatch,
  wholeBoxes,
} from "../../views/index.ts";
import type { TrainingData } from "../dataset.ts";

type BoxedData = Pick<TrainingData, "count" | "dataset">;

/** The object's box that a dataset knows of an image, in shares of its sides. */
export function objectBox({ dataset }: BoxedData, image: number): Box | undefined {
  const { box, width, height } = dataset.entry(image);
  if (box === undefined) return undefined;
  const [left, top, across, down] = box;
  const share = (pixels: number, of: number) => Math.max(0, Math.min(1, pixels / of));
  return {
    left: share(left, width),
    top: share(top, height),
    right: share(left + across, width),
    bottom: share(top + down, height),
  };
}

/** Boxes of all images, the whole image where it has none; undefined where none has one. */
export function datasetBoxes(data: BoxedData): Boxes | undefined {
  const boxes = wholeBoxes(data.count);
  let known = false;
  for (let image = 0; image < data.count; image++) {
    const box = objectBox(data, image);
    if (box === undefined) continue;
    setBox(boxes, image, box);
    known = true;
  }
  return known ? boxes : undefined;
}

const IMAGES = 16; // looked at in a batch
const MISSED = 0.2; // of the object's box

/**
 * How much of the known objects the crops of a batch hold: `objectCoverage`, the mean share of an object's
 * box within a crop, and `objectMissed`, the share of crops with less than a fifth of it. Free turns are
 * left out of account. Nothing where the images have no boxes.
 */
export function coverageFigures(data: BoxedData, batch: ViewBatch): Record<string, number> {
  const { ids, sources } = batch;
  const shares: number[] = [];
  for (let b = 0; b < Math.min(ids.length, IMAGES); b++) {
    for (let view = 0; view * ids.length < sources.length; view++) {
      const image = sources[view * ids.length + b];
      const object = objectBox(data, image);
      if (object === undefined) continue;
      const { crop } = batch.parameters(view, b);
      shares.push(objectCoverage(crop, object, data.dataset.entry(image)));
    }
  }
  if (shares.length === 0) return {};
  return {
    objectCoverage: shares.reduce((sum, share) => sum + share, 0) / shares.length,
    objectMissed: shares.filter((share) => share < MISSED).length / shares.length,
  };
}
