import { expect, test } from "vitest";

import type { PixelImage } from "../core/pixels.ts";
import { randomStream } from "../core/random.ts";
import { drawImageViews } from "./imageViews.ts";
import { previewViews } from "./preview.ts";
import { viewPolicy } from "./viewOptions.ts";

const stream = randomStream(1);
const image: PixelImage = {
  width: 16,
  height: 16,
  channels: 3,
  data: Uint8Array.from({ length: 768 }, () => stream.integer(256)),
};

test("a preview of the unchanged image is the image, byte for byte", () => {
  const [view] = previewViews(image, viewPolicy({ preset: "none", size: 16 }), 0, 1);
  expect(view.image).toEqual(image);
});

test("previews are the first views of image 0, with holes in the mean colour", () => {
  const policy = viewPolicy({ size: 16, cutout: { probability: 1 }, mean: [0.2, 0.4, 0.6] });
  const views = previewViews(image, policy, 3, 5);
  const first = drawImageViews(policy, { seed: 3, epoch: 0, image: 0 }, image);
  const second = drawImageViews(policy, { seed: 3, epoch: 1, image: 0 }, image);
  expect(views.map((v) => v.parameters).slice(0, 4)).toEqual([...first, ...second]);
  for (const { image: picture, parameters } of views) {
    const hole = parameters.cutout ?? { x: 0, y: 0 };
    const at = (hole.y * 16 + hole.x) * 3;
    expect([...picture.data.subarray(at, at + 3)]).toEqual([51, 102, 153]);
  }
});
